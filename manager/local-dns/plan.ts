/** How names of sessions come to this machine: the steps for each kind of system. Pure: decides by the machine alone. */
import { join } from "node:path/posix";
import type { Machine } from "./machine.ts";
import { admin, only, type Step } from "./step.ts";

export type Method = "resolver-files" | "systemd-resolved" | "networkmanager-dnsmasq" | "hosts-file" | "nrpt";

/** The port that local DNS listens on: everywhere but on Windows, whose rules know no port, one that needs no rights. */
export function dnsPort(platform: NodeJS.Platform): number {
  return platform === "win32" ? 53 : 8053;
}

/** What this machine has, best first. */
export function chooseMethod(machine: Machine): Method {
  if (machine.platform === "darwin") return "resolver-files";
  if (machine.platform === "win32") return "nrpt";
  if (machine.resolved) return "systemd-resolved";
  if (machine.networkManagerDnsmasq) return "networkmanager-dnsmasq";
  return "hosts-file";
}

/** A file to be put somewhere, from where we have written it for the purpose. */
export interface Staged {
  /** Its name in the folder of staged files. */
  name: string;
  content: string;
}

export interface Plan {
  method: Method;
  staged: Staged[];
  steps: Step[];
}

/**
 * `hosts`: the names of the running sessions, for a hosts file, which knows no patterns.
 * `staging`: the folder in which the staged files will be.
 */
export function planNames(machine: Machine, domains: string[], hosts: string[], staging: string): Plan {
  const method = chooseMethod(machine);
  const port = dnsPort(machine.platform);
  const staged: Staged[] = [];
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
          const source = stage(`resolver-${domain}`, `# Linkup\nnameserver 127.0.0.1\nport ${port}\n`);
          return placed(machine, `Let macOS ask Linkup for the names under ${domain}.`, source, file);
        }),
      };
    case "systemd-resolved": {
      const routes = domains.map((domain) => `~${domain}`).join(" ");
      const source = stage(
        "resolved.conf",
        `# Linkup\n[Resolve]\nDNS=127.0.0.1:${port}\nDomains=${routes}\n`,
      );
      const step = placed(
        machine,
        `Let systemd-resolved ask Linkup for the names under ${domains.join(", ")}.`,
        source,
        "/etc/systemd/resolved.conf.d/linkup.conf",
      );
      return { method, staged, steps: [reloading(step, ["systemctl", "restart", "systemd-resolved"])] };
    }
    case "networkmanager-dnsmasq": {
      const rules = domains.map((domain) => `server=/${domain}/127.0.0.1#${port}\n`).join("");
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
      return { method, staged, steps: domains.map(nrptRule) };
    case "hosts-file":
      return { method, staged, steps: [hostsStep(hosts, stage)] };
  }
}

/** Puts a file where there was none, with the folder it needs. */
function placed(machine: Machine, title: string, source: string, file: string): Step {
  const directory = file.slice(0, file.lastIndexOf("/"));
  const known = machine.exists(directory);
  return {
    title,
    commands: [
      ...(known ? [] : [admin("install", "-d", "-m", "755", directory)]),
      admin("install", "-m", "644", source, file),
    ],
    undo: [
      admin("rm", "-f", file),
      ...(known
        ? []
        : [only(["test", "-d", directory], admin("find", directory, "-maxdepth", "0", "-empty", "-delete"))]),
    ],
  };
}

function reloading(step: Step, argv: string[]): Step {
  return { ...step, commands: [...step.commands, admin(...argv)], undo: [...step.undo, admin(...argv)] };
}

function nrptRule(domain: string): Step {
  const rule = `Get-DnsClientNrptRule | Where-Object { $_.Comment -eq 'Linkup' -and $_.Namespace -eq '.${domain}' }`;
  const powershell = (script: string) => admin("powershell", "-NoProfile", "-Command", script);
  return {
    title: `Let Windows ask Linkup for the names under ${domain}.`,
    commands: [
      powershell(`Add-DnsClientNrptRule -Namespace '.${domain}' -NameServers '127.0.0.1' -Comment 'Linkup'`),
    ],
    undo: [powershell(`${rule} | Remove-DnsClientNrptRule -Force`)],
  };
}

export const HOSTS_FILE = "/etc/hosts";
const BEGIN = "# Linkup, begin: do not edit";
const END = "# Linkup, end";

function hostsStep(hosts: string[], stage: (name: string, content: string) => string): Step {
  return {
    title: `Write the names of the running sessions to ${HOSTS_FILE}: this machine has nothing that could ask Linkup.`,
    // Copied into the file, not put in its place: in containers it is mounted.
    commands: [admin("cp", stage("hosts", hosts.join("\n")), HOSTS_FILE)],
    undo: [{ hostsFile: HOSTS_FILE }],
  };
}

/** A hosts file with our block, the last one there, for these names. */
export function withHosts(text: string, hosts: string[]): string {
  const before = withoutHosts(text);
  if (hosts.length === 0) return before;
  const lines = hosts.flatMap((host) => [`127.0.0.1 ${host}`, `::1 ${host}`]);
  const gap = before === "" || before.endsWith("\n") ? "" : "\n";
  return `${before}${gap}${BEGIN}${gap ? " (no newline before)" : ""}\n${lines.join("\n")}\n${END}\n`;
}

/** The file as it was without our block, byte for byte. */
export function withoutHosts(text: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(`${END}\n`, begin);
  if (begin === -1 || end === -1) return text;
  const gap = text.startsWith(`${BEGIN} (no newline before)`, begin) ? 1 : 0;
  return text.slice(0, begin - gap) + text.slice(end + END.length + 1);
}

/** Lets this user's processes have ports 80 and 443, where they need rights for it. */
export function planPorts(machine: Machine, staging: string): { staged: Staged[]; steps: Step[] } {
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
        commands: [...step.commands, admin("sysctl", "-q", "-w", `${key}=80`)],
        undo: [...step.undo, admin("sysctl", "-q", "-w", `${key}=${machine.firstFreePort}`)],
      },
    ],
  };
}
