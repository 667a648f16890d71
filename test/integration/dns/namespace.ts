/**
 * Local DNS and certificates put into a machine for real, and taken out again: in a mount and network namespace,
 * so that the machine is another one's. Run by `npm run test:dns`.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { followSessions, HOSTS_FILE } from "../../../manager/components/local-dns/hosts-file.ts";
import { journalFile } from "../../../manager/components/local-dns/journal.ts";
import { run } from "../../../manager/components/system/machine.ts";
import { World } from "../manager/world.ts";
import { check, conclude, SYSTEM } from "./checks.ts";
import { digLong, digs } from "./dig.ts";
import { life } from "./life.ts";
import { renewal } from "./renewal.ts";
import {
  ELSEWHERE,
  FEDORA_BUNDLE,
  fedoraTrust,
  getent,
  hostsFile,
  networkManager,
  networkManagerBinary,
  patiently,
  resolvedBinary,
  systemdResolved,
} from "./systems.ts";
import { HOST, tryOn, type Variant } from "./variant.ts";

/** Where the programs that are tried keep what is theirs. */
const STATE = "/var/lib";

const directory = mkdtempSync(join(tmpdir(), "linkup-namespace-"));

/** Our own copies of what belongs to the system, mounted over it: all that happens stays in here. */
function privateSystem(): void {
  for (const path of SYSTEM) {
    mkdirSync(path, { recursive: true });
    const copy = join(directory, "system", path);
    mkdirSync(join(copy, ".."), { recursive: true });
    cpSync(path, copy, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    execFileSync("mount", ["--bind", copy, path]);
  }
  const [upper, work] = ["upper", "work"].map((name) => join(directory, "state", name));
  for (const folder of [upper, work]) mkdirSync(folder!, { recursive: true });
  const layers = `lowerdir=${STATE},upperdir=${upper},workdir=${work}`;
  execFileSync("mount", ["-t", "overlay", "overlay", "-o", layers, STATE]);
  execFileSync("ip", ["link", "set", "lo", "up"]);
  // What an earlier package left undone would be done by the installation's run of it.
  execFileSync("update-ca-certificates", { stdio: "ignore" });
}

/** Bytes that the port of local DNS has received and nobody has read. */
function waiting(): number {
  const sockets = readFileSync("/proc/net/udp", "utf8").split("\n");
  const [, , , , queues = ""] = sockets
    .find((line) => line.includes(": 0100007F:1F75 "))!
    .trim()
    .split(/\s+/);
  return Number.parseInt(queues.split(":")[1]!, 16);
}

/** A start on a machine where local DNS is a block in the hosts file. */
async function startsWithNames(): Promise<void> {
  await using world = await World.create();
  world.writeConfig(world.configPath, { domain: "example.com" });
  mkdirSync(world.home, { mode: 0o700 });
  const journal = { version: 1, domains: ["example.com"], method: "hosts-file", entries: [] };
  writeFileSync(journalFile(world.home), JSON.stringify(journal));
  const { urls } = await world.json<{ urls: string[] }>("start", "--isolated", "--detach");
  const { hostname } = new URL(urls[0]!);
  check("a session's names resolve before its start returns", getent(hostname) !== "");
}

const VARIANTS: Variant[] = [
  {
    name: "A machine with nothing but a hosts file",
    prepare: hostsFile,
    async installed() {
      await digs(HOST);
      const other = "fat-toad.example.com";
      await followSessions([HOST, other]);
      check("the file follows a session that comes", getent(other) !== "");
      await followSessions([HOST]);
      check("and one that goes", getent(other) === "" && getent(HOST) !== "");
      await startsWithNames();
      await followSessions([HOST]);
      execFileSync("mount", ["--bind", HOSTS_FILE, HOSTS_FILE]);
      execFileSync("mount", ["-o", "remount,ro,bind", HOSTS_FILE]);
      check("where it may not be written, it says so", !(await followSessions([HOST, other])));
      execFileSync("umount", [HOSTS_FILE]);
    },
  },
  {
    name: "Fedora's trust, by p11-kit",
    prepare: fedoraTrust,
    needs: { program: "/usr/bin/trust", packages: "p11-kit, p11-kit-modules" },
    async installed() {
      const curl = await run([
        "curl",
        "-s",
        "-m",
        "20",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "--cacert",
        FEDORA_BUNDLE,
        `https://${HOST}/`,
      ]).catch((error: Error) => error.message);
      check("a program that reads Fedora's list trusts it", curl === "200", curl);
    },
  },
  {
    name: "NetworkManager with its dnsmasq",
    prepare: networkManager,
    needs: { program: networkManagerBinary, packages: "network-manager" },
    elsewhere: ELSEWHERE,
    installed: digLong,
  },
  {
    name: "systemd-resolved",
    prepare: systemdResolved,
    needs: { program: resolvedBinary, packages: "systemd-resolved" },
    elsewhere: ELSEWHERE,
    async installed(dns) {
      const answer = await run(["resolvectl", "query", HOST]).catch((error: Error) => error.message);
      check("resolvectl query finds the session", answer.includes("127.0.0.1"), answer);
      // What a process that is halted is asked stays in its queue.
      dns.child.kill("SIGSTOP");
      await run(["resolvectl", "flush-caches"]);
      const found = [getent("other.test"), getent("nowhere.test")];
      check(
        "local DNS is not asked for names of other domains",
        found[0]!.startsWith(ELSEWHERE["other.test"]) && waiting() === 0,
        `${found} ${waiting()}`,
      );
      const asked = run(["resolvectl", "query", "www.example.com"]).catch(() => {});
      check("and is for those of its own", await patiently(() => waiting() > 0));
      dns.child.kill("SIGCONT");
      await asked;
      const unit = await run([
        "systemd-analyze",
        "verify",
        "/etc/systemd/system/linkup-local-dns.service",
      ]).then(
        () => "",
        (error: Error) => error.message,
      );
      check("systemd finds nothing wrong with the unit", unit === "", unit);
    },
  },
];

// It mounts over /etc and runs daemons: never on the machine itself.
const { LINKUP_HOST_MOUNTS: host } = process.env;
if (!host || readlinkSync("/proc/self/ns/mnt") === host)
  throw new Error("This runs in a namespace of its own only: npm run test:dns");
privateSystem();
try {
  await hostsFile();
  const [wanted = ""] = process.argv.slice(2);
  for (const variant of VARIANTS.filter(({ name }) => name.includes(wanted))) await tryOn(directory, variant);
  if ("life".includes(wanted)) await life(directory);
  if ("renewal".includes(wanted)) await renewal(directory, HOST);
} finally {
  for (const path of [...SYSTEM, STATE]) execFileSync("umount", ["--lazy", path]);
  rmSync(directory, { recursive: true, force: true });
}
process.exitCode = conclude() ? 0 : 1;
