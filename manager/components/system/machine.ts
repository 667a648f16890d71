/** What a machine has, as far as it decides how names and certificates get into it. */
import { execFile, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

export interface Machine {
  platform: NodeJS.Platform;
  /** True when this process may do everything already: as root, or in a terminal of an administrator. */
  root: boolean;
  /** systemd-resolved answers this machine's queries. */
  resolved: boolean;
  /** NetworkManager runs dnsmasq, which answers this machine's queries. */
  networkManagerDnsmasq: boolean;
  /** Folders for authorities of one's own that exist, by the program that reads them. */
  trust: { program: string; directory: string; extension: string }[];
  /** The lists of authorities that programs here read. */
  bundles: string[];
  /** NSS databases of this user: Chromium's and each Firefox profile's. */
  nss: string[];
  /** Where Chromium will create its database at its first visit over HTTPS; undefined when it has one, or is not installed. */
  newNss: string | undefined;
  /** The Windows Subsystem for Linux: browsers run on Windows, which has names and authorities of its own. */
  wsl: boolean;
  certutil: boolean;
  /** Ports below this need rights on Linux; 0 elsewhere. */
  firstFreePort: number;
  exists(path: string): boolean;
  home: string;
}

/** Debian and its kin, Fedora and its kin, Arch, SUSE: where they read authorities from, and what makes them do so. */
const LINUX_TRUST = [
  { program: "update-ca-certificates", directory: "/usr/local/share/ca-certificates", extension: "crt" },
  { program: "update-ca-trust", directory: "/etc/pki/ca-trust/source/anchors", extension: "pem" },
  { program: "update-ca-trust", directory: "/etc/ca-certificates/trust-source/anchors", extension: "pem" },
  { program: "update-ca-certificates", directory: "/etc/pki/trust/anchors", extension: "pem" },
];
/** What OpenSSL, GnuTLS and curl of the same systems read: Debian and Arch, Fedora, SUSE. */
const LINUX_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
];

export function inspectMachine(env: NodeJS.ProcessEnv = process.env): Machine {
  const { platform } = process;
  const home = env.HOME || homedir();
  return {
    platform,
    root: platform === "win32" ? isElevated() : process.getuid?.() === 0,
    resolved: platform === "linux" && isResolved(),
    networkManagerDnsmasq: platform === "linux" && existsSync("/etc/NetworkManager") && usesDnsmasq(),
    trust: LINUX_TRUST.filter(({ program, directory }) => existsSync(directory) && onPath(program, env)),
    bundles: platform === "linux" ? LINUX_BUNDLES.filter((file) => existsSync(file)) : [],
    nss: nssDatabases(home, env),
    newNss: platform === "linux" ? newChromiumDatabase(home, env) : undefined,
    wsl: platform === "linux" && isWsl(env),
    certutil: onPath("certutil", env),
    firstFreePort: platform === "linux" ? firstFreePort() : 0,
    exists: existsSync,
    home,
  };
}

/** `fltmc` lists file system filters, and does so for nobody else. */
function isElevated(): boolean {
  return spawnSync("fltmc", { stdio: "ignore", windowsHide: true }).status === 0;
}

function isResolved(): boolean {
  return (
    existsSync("/run/systemd/resolve/resolv.conf") &&
    /^nameserver\s+127\.0\.0\.53/m.test(read("/etc/resolv.conf"))
  );
}

/** `dns=dnsmasq` in its configuration, and resolv.conf leads to this machine. */
function usesDnsmasq(): boolean {
  const files = ["/etc/NetworkManager/NetworkManager.conf"];
  const directory = "/etc/NetworkManager/conf.d";
  if (existsSync(directory))
    files.push(...readdirSync(directory, { encoding: "utf8" }).map((name) => join(directory, name)));
  return (
    files.some((file) => /^\s*dns\s*=\s*dnsmasq/m.test(read(file))) &&
    /^nameserver\s+127\./m.test(read("/etc/resolv.conf"))
  );
}

/** `WSL_DISTRO_NAME` is missing below sudo and in services. */
function isWsl(env: NodeJS.ProcessEnv): boolean {
  return Boolean(env.WSL_DISTRO_NAME) || /microsoft/i.test(read("/proc/sys/kernel/osrelease"));
}

/** Chromium's database: in a fresh home since version 146 in the user's data folder; an older one stays in use. */
function chromiumDatabases(home: string, env: NodeJS.ProcessEnv): { old: string; fresh: string } {
  return {
    old: join(home, ".pki/nssdb"),
    fresh: join(env.XDG_DATA_HOME || join(home, ".local/share"), "pki/nssdb"),
  };
}

const CHROMIUMS = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "brave-browser",
  "microsoft-edge",
  "vivaldi",
];

function newChromiumDatabase(home: string, env: NodeJS.ProcessEnv): string | undefined {
  const { old, fresh } = chromiumDatabases(home, env);
  if ([old, fresh].some((directory) => existsSync(join(directory, "cert9.db")))) return undefined;
  return CHROMIUMS.some((program) => onPath(program, env)) ? fresh : undefined;
}

/**
 * NSS databases of this user: Chromium's, and those of Firefox profiles, where its packages put them (since version 147
 * in the user's configuration too).
 */
export function nssDatabases(home: string, env: NodeJS.ProcessEnv): string[] {
  const { old, fresh } = chromiumDatabases(home, env);
  const found = [old, fresh, join(home, "snap/chromium/current/.pki/nssdb")];
  for (const profiles of [
    join(home, ".mozilla/firefox"),
    join(env.XDG_CONFIG_HOME || join(home, ".config"), "mozilla/firefox"),
    join(home, "snap/firefox/common/.mozilla/firefox"),
    join(home, ".var/app/org.mozilla.firefox/.mozilla/firefox"),
    join(home, ".var/app/org.mozilla.firefox/config/mozilla/firefox"),
    join(home, "Library/Application Support/Firefox/Profiles"),
  ])
    if (existsSync(profiles))
      found.push(...readdirSync(profiles, { encoding: "utf8" }).map((name) => join(profiles, name)));
  return found.filter((directory) => existsSync(join(directory, "cert9.db")));
}

function firstFreePort(): number {
  return Number(read("/proc/sys/net/ipv4/ip_unprivileged_port_start")) || 1024;
}

function read(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

function onPath(program: string, env: NodeJS.ProcessEnv): boolean {
  const folders = `${env.PATH ?? ""}${delimiter}/usr/sbin${delimiter}/sbin`.split(delimiter);
  return folders.some((folder) => existsSync(join(folder, program)));
}

/** Runs a command to its end; rejects with what it printed when it fails. */
export function run(argv: string[]): Promise<string> {
  const [program, ...args] = argv;
  return new Promise((resolve, reject) => {
    execFile(program!, args, { encoding: "utf8" }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${argv.join(" ")} failed: ${(stderr || stdout || error.message).trim()}`));
      else resolve(stdout);
    });
  });
}
