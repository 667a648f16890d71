/** Plans how session host names resolve to this machine, per operating system. Pure: decides by `Machine` alone. */
import { join } from "node:path/posix";
import type { Machine } from "../system/machine.ts";
import { asAdministrator, only, type SystemStep } from "../system/step.ts";
import { HOSTS_FILE } from "./hosts-file.ts";

export type Method = "resolver-files" | "systemd-resolved" | "networkmanager-dnsmasq" | "hosts-file" | "nrpt";

/**
 * Where local DNS listens, on loopback only. Windows name rules have no port, so there it is 53 (which needs no
 * privileges) on a separate address, because 127.0.0.1:53 is often taken (by Docker, WSL and other resolvers).
 */
export function dnsAddress(platform: NodeJS.Platform): { address: string; port: number } {
  return platform === "win32" ? { address: "127.80.53.1", port: 53 } : { address: "127.0.0.1", port: 8053 };
}

/** The best method that this machine supports. */
export function chooseMethod(machine: Machine): Method {
  if (machine.platform === "darwin") return "resolver-files";
  if (machine.platform === "win32") return "nrpt";
  if (machine.resolved) return "systemd-resolved";
  if (machine.networkManagerDnsmasq) return "networkmanager-dnsmasq";
  return "hosts-file";
}

/** A file that is written to the staging folder first, and installed from there. */
export interface StagedFile {
  /** Its name in the staging folder. */
  name: string;
  content: string;
}

export interface NamePlan {
  method: Method;
  staged: StagedFile[];
  steps: SystemStep[];
}

/**
 * `hosts`: host names of running sessions, for a hosts file, which has no wildcards.
 * `staging`: the staging folder.
 */
export function planNames(machine: Machine, domains: string[], hosts: string[], staging: string): NamePlan {
  const method = chooseMethod(machine);
  const { address, port } = dnsAddress(machine.platform);
  const staged: StagedFile[] = [];
  const stage = (name: string, content: string) => {
    staged.push({ name, content });
    return join(staging, name);
  };
  switch (method) {
    case "resolver-files":
      return {
        method,
        staged,
        steps: domains.map((domain) => {
          const file = `/etc/resolver/${domain}`;
          const source = stage(`resolver-${domain}`, `# Linkup\nnameserver ${address}\nport ${port}\n`);
          return placed(machine, `Let macOS ask Linkup for the names under ${domain}.`, source, file);
        }),
      };
    case "systemd-resolved":
      return {
        method,
        staged,
        steps: [
          linkStep(machine, domains, stage(LINK_UNIT, linkUnit(domains, dnsAddress(machine.platform)))),
        ],
      };
    case "networkmanager-dnsmasq": {
      const rules = domains.map((domain) => `server=/${domain}/${address}#${port}\n`).join("");
      const source = stage("dnsmasq.conf", `# Linkup\n${rules}`);
      const step = placed(
        machine,
        `Let NetworkManager's dnsmasq ask Linkup for the names under ${domains.join(", ")}.`,
        source,
        "/etc/NetworkManager/dnsmasq.d/linkup.conf",
      );
      return { method, staged, steps: [reloading(step, ["nmcli", "general", "reload", "dns-full"])] };
    }
    case "nrpt":
      return { method, staged, steps: domains.map((domain) => nrptRule(domain, address)) };
    case "hosts-file":
      return { method, staged, steps: [hostsStep(hosts, stage)] };
  }
}

/** The systemd unit that creates the link whenever systemd-resolved starts. */
const LINK_UNIT = "linkup-local-dns.service";
/** The names of both ends of the veth pair. */
const LINK = ["linkup0", "linkup1"] as const;

/**
 * systemd-resolved asks the server of a link for the domains of that link only, while a server in resolved.conf would
 * be asked for every name (systemd-resolved.service(8), "Protocols and routing"). So we create a
 * dedicated veth pair, which carries no traffic. It has an address because resolved ignores links without one, and
 * NetworkManager leaves veth links alone.
 */
function linkUnit(domains: string[], { address, port }: { address: string; port: number }): string {
  const [link, end] = LINK;
  const commands = [
    `ip link add ${link} type veth peer name ${end}`,
    `ip address add 169.254.80.53/32 dev ${link}`,
    `ip link set ${end} multicast off up`,
    `ip link set ${link} multicast off up`,
    `resolvectl dns ${link} ${address}:${port}`,
    `resolvectl domain ${link} ${domains.map((domain) => `~${domain}`).join(" ")}`,
    `resolvectl default-route ${link} no`,
    // Our answers are unsigned and in clear text; they never leave the machine.
    `resolvectl dnssec ${link} no`,
    `resolvectl dnsovertls ${link} no`,
  ];
  return `# Linkup
[Unit]
Description=Names of Linkup's sessions
After=systemd-resolved.service
PartOf=systemd-resolved.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStartPre=-ip link delete ${link}
${commands.map((command) => `ExecStart=${command}\n`).join("")}ExecStopPost=-ip link delete ${link}

[Install]
WantedBy=systemd-resolved.service
`;
}

function linkStep(machine: Machine, domains: string[], source: string): SystemStep {
  const file = `/etc/systemd/system/${LINK_UNIT}`;
  const { title, commands, undo } = placed(
    machine,
    `Let systemd-resolved ask Linkup for the names under ${domains.join(", ")}.`,
    source,
    file,
  );
  const reload = asAdministrator("systemctl", "daemon-reload");
  return {
    title,
    commands: [...commands, reload, asAdministrator("systemctl", "enable", "--now", LINK_UNIT)],
    undo: [
      only(["test", "-e", file], asAdministrator("systemctl", "disable", "--now", LINK_UNIT)),
      ...undo,
      reload,
    ],
  };
}

/** Installs a file and, where missing, its folder. */
function placed(machine: Machine, title: string, source: string, file: string): SystemStep {
  const directory = file.slice(0, file.lastIndexOf("/"));
  const known = machine.exists(directory);
  return {
    title,
    commands: [
      ...(known ? [] : [asAdministrator("install", "-d", "-m", "755", directory)]),
      asAdministrator("install", "-m", "644", source, file),
    ],
    undo: [
      asAdministrator("rm", "-f", file),
      ...(known
        ? []
        : [
            only(
              ["test", "-d", directory],
              asAdministrator("find", directory, "-maxdepth", "0", "-empty", "-delete"),
            ),
          ]),
    ],
  };
}

function reloading(step: SystemStep, argv: string[]): SystemStep {
  return {
    ...step,
    commands: [...step.commands, asAdministrator(...argv)],
    undo: [...step.undo, asAdministrator(...argv)],
  };
}

function nrptRule(domain: string, address: string): SystemStep {
  const rule = `Get-DnsClientNrptRule | Where-Object { $_.Comment -eq 'Linkup' -and $_.Namespace -eq '.${domain}' }`;
  const powershell = (script: string) => asAdministrator("powershell", "-NoProfile", "-Command", script);
  return {
    title: `Let Windows ask Linkup for the names under ${domain}.`,
    commands: [
      powershell(`Add-DnsClientNrptRule -Namespace '.${domain}' -NameServers '${address}' -Comment 'Linkup'`),
    ],
    undo: [powershell(`${rule} | Remove-DnsClientNrptRule -Force`)],
  };
}

function hostsStep(hosts: string[], stage: (name: string, content: string) => string): SystemStep {
  return {
    title: `Write the names of the running sessions to ${HOSTS_FILE}: this machine has no resolver that can ask Linkup.`,
    // Copied over instead of replaced: in containers the hosts file is a mount.
    commands: [asAdministrator("cp", stage("hosts", hosts.join("\n")), HOSTS_FILE)],
    undo: [{ hostsFile: HOSTS_FILE }],
  };
}

/** Lets this user's processes listen on ports 80 and 443 where that needs privileges. */
export function planPorts(machine: Machine, staging: string): { staged: StagedFile[]; steps: SystemStep[] } {
  if (machine.platform !== "linux" || machine.firstFreePort <= 80 || machine.root)
    return { staged: [], steps: [] };
  const name = "sysctl.conf";
  const key = "net.ipv4.ip_unprivileged_port_start";
  const step = placed(
    machine,
    "Let programs of yours listen on ports 80 and 443, so that session URLs need no port.",
    join(staging, name),
    "/etc/sysctl.d/50-linkup.conf",
  );
  return {
    staged: [{ name, content: `# Linkup\n${key}=80\n` }],
    steps: [
      {
        ...step,
        commands: [...step.commands, asAdministrator("sysctl", "-q", "-w", `${key}=80`)],
        undo: [...step.undo, asAdministrator("sysctl", "-q", "-w", `${key}=${machine.firstFreePort}`)],
      },
    ],
  };
}
