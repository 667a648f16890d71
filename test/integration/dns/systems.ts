/** Machines of several kinds, made of the programs that real ones have: each lasts until its preparation is undone. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Takes back what a preparation made. */
export type Teardown = () => void | Promise<void>;

/** Where other names of the network are answered: `www.example.com` and `other.test`. */
const UPLINK = "192.0.2.2";
export const ELSEWHERE = { "www.example.com": "192.0.2.80", "other.test": "192.0.2.81" };

/** A name with texts that are too long for one packet. */
export const LONG = "long.example.com";

/** Programs that are unpacked only, because they would take over the machine if they were installed. */
const UNPACKED = process.env.LINKUP_DNS_SYSTEMS ?? "/";
const LIBRARIES = ["", "/systemd"]
  .map((folder) =>
    join(UNPACKED, "usr/lib", `${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu${folder}`),
  )
  .join(":");

export const resolvedBinary = join(UNPACKED, "lib/systemd/systemd-resolved");
export const networkManagerBinary = join(UNPACKED, "usr/sbin/NetworkManager");

/** Asks until it is so, for 20 s at most. */
export async function patiently(holds: () => boolean | Promise<boolean>): Promise<boolean> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await holds()) return true;
    await sleep(100);
  }
  return false;
}

/** A machine that has nothing but its hosts file, and a resolver that does not answer. */
export async function hostsFile(): Promise<Teardown> {
  writeFileSync("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
  return () => {};
}

/**
 * Fedora's folders beside the ones that are there, read by p11-kit's own program, with what Fedora's update-ca-trust
 * asks of it. Arch's has other folders and is the same otherwise.
 */
export async function fedoraTrust(directory: string): Promise<Teardown> {
  const undo = await hostsFile();
  for (const folder of [
    "/etc/pki/ca-trust/source/anchors",
    "/etc/pki/ca-trust/extracted/pem",
    "/etc/pki/tls/certs",
  ])
    mkdirSync(folder, { recursive: true });
  const module = "/usr/share/p11-kit/modules/p11-kit-trust.module";
  const sources = readFileSync(module, "utf8").replace(/^x-init-reserved:.*$/m, "");
  const own = join(directory, "p11-kit-trust.module");
  writeFileSync(own, `${sources}\nx-init-reserved: paths='/etc/pki/ca-trust/source'\n`);
  execFileSync("mount", ["--bind", own, module]);
  const bundle = "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem";
  program(
    directory,
    "update-ca-trust",
    `exec trust extract --comment --format=pem-bundle --filter=ca-anchors --overwrite --purpose server-auth ${bundle}`,
  );
  execFileSync("update-ca-trust");
  execFileSync("ln", ["-sf", bundle, FEDORA_BUNDLE]);
  return async () => {
    execFileSync("umount", [module]);
    execFileSync("rm", ["-rf", "/etc/pki/ca-trust", "/etc/pki/tls", join(directory, "bin/update-ca-trust")]);
    await undo();
  };
}

export const FEDORA_BUNDLE = "/etc/pki/tls/certs/ca-bundle.crt";

/** NetworkManager itself, which runs dnsmasq. */
export async function networkManager(directory: string): Promise<Teardown> {
  const undos = [bus(directory), uplink(directory)];
  mkdirSync("/etc/NetworkManager/conf.d", { recursive: true });
  mkdirSync("/etc/NetworkManager/dnsmasq.d", { recursive: true });
  writeFileSync(
    "/etc/NetworkManager/conf.d/dns.conf",
    `[main]\ndns=dnsmasq\nplugins=keyfile\n[global-dns-domain-*]\nservers=${UPLINK}\n`,
  );
  undos.push(unpacked(directory, "nmcli"));
  // Mounted over: as a file of the system's own it could not be replaced, which NetworkManager does.
  execFileSync("rm", ["-f", "/etc/resolv.conf"]);
  const manager = daemon(networkManagerBinary, ["--no-daemon"]);
  undos.push(() => void manager.kill());
  const ready = await patiently(() => {
    if (existsSync("/etc/resolv.conf") && getent("other.test") !== "") return true;
    spawnSync("nmcli", ["general", "reload", "dns-full"]);
    return false;
  });
  if (!ready) throw new Error("NetworkManager does not answer for the names of its network.");
  return async () => {
    for (const undo of undos.toReversed()) undo();
    execFileSync("rm", ["-rf", "/etc/NetworkManager"]);
    writeFileSync("/etc/resolv.conf", "nameserver 127.0.0.1\n");
    await patiently(() => spawnSync("pgrep", ["-x", "dnsmasq"]).status !== 0);
  };
}

/** systemd-resolved itself. There is no systemd in a namespace: what `systemctl` would run of a unit, a script runs. */
export async function systemdResolved(directory: string): Promise<Teardown> {
  const undos = [bus(directory), uplink(directory), unpacked(directory, "resolvectl")];
  const account = "systemd-resolve:x:991:";
  if (!readFileSync("/etc/passwd", "utf8").includes("systemd-resolve:")) {
    writeFileSync("/etc/passwd", `${account}991::/:/usr/sbin/nologin\n`, { flag: "a" });
    writeFileSync("/etc/group", `${account}\n`, { flag: "a" });
  }
  mkdirSync("/run/systemd/resolve", { recursive: true });
  execFileSync("chown", ["systemd-resolve:systemd-resolve", "/run/systemd/resolve"]);
  const resolvConf = readFileSync("/etc/resolv.conf");
  writeFileSync("/etc/resolv.conf", "");
  program(directory, "systemctl", SYSTEMCTL);
  const resolved = daemon(resolvedBinary, []);
  undos.push(
    () => void resolved.kill(),
    () => execFileSync("rm", ["-f", join(directory, "bin/systemctl")]),
  );
  await patiently(() => spawnSync("resolvectl", ["dns", "up0", UPLINK]).status === 0);
  execFileSync("resolvectl", ["default-route", "up0", "yes"]);
  writeFileSync("/etc/resolv.conf", "nameserver 127.0.0.53\n");
  if (!(await patiently(() => getent("other.test") !== "")))
    throw new Error("systemd-resolved does not answer for the names of its network.");
  return () => {
    for (const undo of undos.toReversed()) undo();
    writeFileSync("/etc/resolv.conf", resolvConf);
  };
}

/** The links of units are made by systemctl itself, the commands in them run as systemd would. */
const SYSTEMCTL = `unit=/etc/systemd/system/$3
run() {
  sed -n "s/^$1=//p" "$unit" | while read -r line; do
    case $line in -*) \${line#-} || true;; *) $line || exit 1;; esac
  done
}
case "$1 $2" in
  "daemon-reload ") ;;
  "enable --now") /usr/bin/systemctl --root=/ enable "$3" && run ExecStartPre 2>/dev/null && run ExecStart;;
  "disable --now") run ExecStopPost; /usr/bin/systemctl --root=/ disable "$3";;
  *) exit 2;;
esac`;

/** What the operating system's own look-up finds; empty for nothing. */
export function getent(host: string): string {
  return spawnSync("getent", ["hosts", host], { encoding: "utf8" }).stdout.trim();
}

/** A bus for daemons to meet on, and a folder for their state. */
function bus(directory: string): () => void {
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/run"]);
  mkdirSync("/run/dbus");
  const rules = [
    '<allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_destination="*"/>',
    ...["method_call", "signal", "method_return", "error"].map((type) => `<allow receive_type="${type}"/>`),
  ];
  const config = join(directory, "bus.conf");
  writeFileSync(
    config,
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default">${rules.join("")}</policy></busconfig>`,
  );
  const daemon = execFileSync("dbus-daemon", [`--config-file=${config}`, "--fork", "--print-pid"], {
    encoding: "utf8",
  });
  return () => {
    process.kill(Number(daemon));
    execFileSync("umount", ["--lazy", "/run"]);
  };
}

/** A network with a resolver of its own. */
function uplink(directory: string): () => void {
  execFileSync("ip", ["link", "add", "up0", "type", "veth", "peer", "name", "up1"]);
  execFileSync("ip", ["address", "add", `${UPLINK}/24`, "dev", "up0"]);
  for (const link of ["up0", "up1"]) execFileSync("ip", ["link", "set", link, "up"]);
  const pidFile = join(directory, "uplink.pid");
  execFileSync("dnsmasq", [
    ...["--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces", "--user=root"],
    ...[`--listen-address=${UPLINK}`, `--pid-file=${pidFile}`],
    ...Object.entries(ELSEWHERE).map(([name, address]) => `--address=/${name}/${address}`),
    ...Array.from({ length: 20 }, (_, i) => `--txt-record=${LONG},${String(i).padEnd(200, "x")}`),
  ]);
  return () => {
    process.kill(Number(readFileSync(pidFile, "utf8")));
    execFileSync("ip", ["link", "delete", "up0"]);
  };
}

/** A program of the unpacked ones, found by its name. */
function unpacked(directory: string, name: string): () => void {
  const file = program(
    directory,
    name,
    `LD_LIBRARY_PATH=${LIBRARIES} exec ${join(UNPACKED, "usr/bin", name)} "$@"`,
  );
  return () => execFileSync("rm", ["-f", file]);
}

function program(directory: string, name: string, script: string): string {
  const bin = join(directory, "bin");
  if (!existsSync(bin)) {
    mkdirSync(bin);
    process.env.PATH = `${bin}:${process.env.PATH}`;
  }
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
  return join(bin, name);
}

function daemon(binary: string, args: string[]): ChildProcess {
  return spawn(binary, args, { stdio: "ignore", env: { ...process.env, LD_LIBRARY_PATH: LIBRARIES } });
}
