/**
 * Local DNS and certificates put into a machine for real, and taken out again: in a mount and network namespace,
 * so that the machine is another one's. Run by `npm run test:dns`.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { createAuthority, issueLeaf } from "../../core/certificates/authority.ts";
import type { ServerStatus } from "../../core/control.ts";
import { writeAuthority } from "../../manager/certificates/authority-files.ts";
import { nssName } from "../../manager/certificates/trust.ts";
import { askStores } from "../../manager/certificates/verify.ts";
import { checkLocalDns } from "../../manager/doctor/names.ts";
import { followSessions, HOSTS_FILE } from "../../manager/local-dns/hosts-file.ts";
import {
  installLocalDns,
  localDnsStatus,
  proposeLocalDns,
  uninstallLocalDns,
} from "../../manager/local-dns/local-dns.ts";
import { inspectMachine, run } from "../../manager/local-dns/machine.ts";
import {
  localDnsBundle,
  type RunningServer,
  spawnBundle,
  startLocalServer,
} from "../local-server/harness.ts";
import { type Browser, browserStores, IMPOSTOR, openChromium, openFirefox } from "./browsers.ts";
import {
  ELSEWHERE,
  FEDORA_BUNDLE,
  fedoraTrust,
  getent,
  hostsFile,
  LONG,
  networkManager,
  networkManagerBinary,
  patiently,
  resolvedBinary,
  systemdResolved,
  type Undo,
} from "./systems.ts";

const HOST = "slim-gecko.example.com";
const DAY_MS = 86_400_000;
/** What an installation may touch. */
const SYSTEM = ["/etc", "/usr/local/share/ca-certificates"];
/** Where the programs that are tried keep what is theirs. */
const STATE = "/var/lib";

const directory = mkdtempSync(join(tmpdir(), "linkup-namespace-"));
let failed = 0;
let passed = 0;
let skipped = 0;

function check(what: string, holds: boolean, detail = ""): void {
  if (holds) passed++;
  else failed++;
  console.log(`${holds ? "ok    " : "FAILED"} ${what}${detail && !holds ? `\n       ${detail}` : ""}`);
}

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

/** Java's hook of update-ca-certificates writes it anew each time, with the time in it. */
const REWRITTEN = "/etc/ssl/certs/java/cacerts";

/** Every file with its rights and content, and every network link with its addresses. */
function picture(): Map<string, string> {
  const all = new Map<string, string>();
  const walk = (path: string) => {
    const stat = lstatSync(path);
    const rights = `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}`;
    if (stat.isSymbolicLink()) all.set(path, `link ${readlinkSync(path)}`);
    else if (stat.isDirectory()) {
      all.set(path, `directory ${rights}`);
      for (const name of readdirSync(path)) walk(join(path, name));
    } else if (stat.isFile())
      all.set(path, `file ${rights} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`);
  };
  for (const path of SYSTEM) walk(path);
  all.delete(REWRITTEN);
  all.set("network links", execFileSync("ip", ["-brief", "address"], { encoding: "utf8" }));
  return all;
}

function differences(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  );
}

interface Variant {
  name: string;
  prepare(directory: string): Promise<Undo>;
  /** A program that it needs and this machine may lack, with the packages that have it. */
  needs?: { program: string; packages: string };
  /** Names that are not ours, as this machine finds them. */
  elsewhere?: Record<string, string>;
  /** What else has to be so while it is installed. */
  installed?(dns: RunningDns): Promise<void>;
}

type RunningDns = ReturnType<typeof spawnBundle>;

async function tryOn({ name, prepare, needs, elsewhere = {}, installed }: Variant): Promise<void> {
  console.log(`\n${name}`);
  if (needs && !existsSync(needs.program)) {
    console.log(`SKIPPED: there is no ${needs.program}, which is in ${needs.packages}.`);
    skipped++;
    return;
  }
  const undoPreparation = await prepare(directory);
  const file = name.replaceAll(/\W+/g, "-");
  const home = join(directory, `home-${file}`);
  const userHome = join(directory, `user-${file}`);
  process.env.HOME = userHome;
  const stores = browserStores(userHome);
  for (const store of Object.values(stores))
    execFileSync("certutil", ["-N", "-d", `sql:${store}`, "--empty-password"]);

  const service = createServer((request, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(page(request.headers.host ?? "", String(request.headers.tracestate)));
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  await using server = await startLocalServer(["--browser-port", "0"], { home });
  await server.control("PUT", "/v1/leases/test", { ttl_ms: null });
  await server.control("PUT", "/v1/sessions/slim-gecko", {
    session: {
      kind: "isolated",
      session_token: "t",
      services: [{ name: "web", location: `http://localhost:${(service.address() as AddressInfo).port}` }],
      domains: [{ domain: "example.com", default_service: "web" }],
    },
    origin_secret: null,
    config_path: null,
  });
  const dns = spawnBundle(await localDnsBundle(), home, []);
  await patiently(() => dns.log().includes("dns port 8053"));
  const others = () =>
    Object.entries(elsewhere).filter(([host, address]) => !getent(host).startsWith(address));

  try {
    const before = picture();
    check("before: the name leads nowhere", getent(HOST) === "");

    const machine = inspectMachine();
    const proposal = await proposeLocalDns(["example.com"], [HOST], { home, machine });
    console.log(proposal.commands.map((command) => `       ${command}`).join("\n"));
    check(
      "looking changes nothing",
      differences(before, picture()).length === 0 && !existsSync(join(home, "certificates")),
    );
    await installLocalDns(proposal, { home, machine });
    check("install: the method of this machine", (await localDnsStatus({ home })).method === proposal.method);
    check("getent finds the session", /^(127\.0\.0\.1|::1)\s/.test(getent(HOST)), getent(HOST));
    check("and all other names as before", others().length === 0, others().join());
    const standard = async () => {
      const { body } = await server.control("GET", "/v1/status");
      return (body as ServerStatus).https_port === 443;
    };
    check("the local server has port 443", await patiently(standard));
    await installed?.(dns);

    // Not synchronously: the service that it reaches is in this process.
    const curl = await run([
      ...["curl", "-s", "-m", "20", "-o", "/dev/null", "-w", "%{http_code} %{http_version}"],
      `https://${HOST}/`,
    ]).catch((error: Error) => error.message);
    check("a program of the system trusts it, over HTTP/2", curl === "200 2", curl);
    await browse(home, file, await openChromium());
    await browse(home, file, await openFirefox(stores.firefox));
    await trust(home, proposal.authority.facts.sha256, stores);
    await remotes(server, home);

    const again = await proposeLocalDns(["example.com"], [HOST], { home, machine });
    await installLocalDns(again, { home, machine });
    check("install again: still there", /^(127\.0\.0\.1|::1)\s/.test(getent(HOST)));

    await uninstallLocalDns({ home });
    const after = differences(before, picture());
    check("uninstall: the machine is byte for byte as before", after.length === 0, after.join(", "));
    const left = Object.values(stores).filter((store) =>
      /Linkup/.test(execFileSync("certutil", ["-L", "-d", `sql:${store}`], { encoding: "utf8" })),
    );
    check("uninstall: no browser trusts the authority", left.length === 0, left.join());
    check("uninstall: the name leads nowhere", getent(HOST) === "");
    check("uninstall: all other names as before", others().length === 0, others().join());
    const gone = () =>
      new Promise<boolean>((resolve) => {
        const socket = connect(443, "127.0.0.1");
        socket
          .once("connect", () => {
            socket.destroy();
            resolve(false);
          })
          .once("error", () => resolve(true));
      });
    check("uninstall: nobody listens on port 443", await patiently(gone));
    await uninstallLocalDns({ home });
    check("uninstall again: nothing to do", differences(before, picture()).length === 0);
  } finally {
    dns.child.kill("SIGTERM");
    service.close();
    service.closeAllConnections();
    await undoPreparation();
  }
}

/** What `linkup health` finds out: while every store trusts, and when somebody has taken the authority out of one. */
async function trust(home: string, sha256: string, stores: Record<string, string>): Promise<void> {
  const asked = () => askStores(home, inspectMachine());
  const all = await asked();
  const refusals = all.filter(({ refusal }) => refusal !== undefined);
  const expected = [...Object.values(stores), "/etc/ssl/certs/ca-certificates.crt"];
  check(
    `health: a real certificate is trusted by ${all.length} real stores`,
    expected.every((store) => all.some((verdict) => verdict.store === store)) && refusals.length === 0,
    JSON.stringify(all),
  );
  const nss = stores.firefox!;
  execFileSync("certutil", ["-D", "-d", `sql:${nss}`, "-n", nssName(sha256)]);
  const bundle = readFileSync("/etc/ssl/certs/ca-certificates.crt");
  writeFileSync("/etc/ssl/certs/ca-certificates.crt", "");
  const broken = (await asked()).filter(({ refusal }) => refusal !== undefined).map(({ store }) => store);
  check(
    "health: stores that lost the authority refuse it",
    broken.includes(nss) && broken.includes("/etc/ssl/certs/ca-certificates.crt"),
    broken.join(),
  );
  writeFileSync("/etc/ssl/certs/ca-certificates.crt", bundle);
  const checks = await checkLocalDns(home, []);
  check(
    "health: it is said, with the fix",
    checks.some(
      ({ id, state, subject, fixes }) =>
        id === "certificates" &&
        state === "broken" &&
        subject === nss &&
        fixes.some(({ terminal }) => terminal === "linkup local-dns install"),
    ),
    JSON.stringify(checks),
  );
}

function page(host: string, tracestate: string): string {
  return `<!doctype html><title>Linkup</title><style>body{font:20px/1.6 system-ui;margin:3rem}code{background:#8882;padding:.1em .4em}</style>
<h1>A session on this machine</h1><p>The service saw <code>Host: ${host}</code> and <code>tracestate: ${tracestate}</code>.</p>
<p>Address: <code id=a></code>, protocol: <code id=p></code>, secure context: <code id=s></code></p>
<p>Browser: <code id=b></code></p>
<script>b.textContent=navigator.userAgent.match(/(Firefox|Chrome)\\/\\d+/)[0].replace("Chrome","Chromium");a.textContent=location.href;p.textContent=performance.getEntriesByType("navigation")[0].nextHopProtocol;s.textContent=isSecureContext</script>`;
}

/** Deployed services are reached only when their certificate is theirs. */
async function remotes(server: RunningServer, home: string): Promise<void> {
  const hosts = readFileSync("/etc/hosts");
  writeFileSync("/etc/hosts", `${hosts}127.0.0.1 shop.example.com bank.test\n`);
  for (const [host, issuedFor, status] of [
    ["shop.example.com", "example.com", 200],
    ["shop.example.com", "other.example.com", 502],
    ["bank.test", "bank.test", 502],
  ] as const) {
    const { certificate, key } = await issueLeaf(authorityOf(home), issuedFor, Date.now());
    const remote = createHttps({ cert: certificate, key }, (_request, response) => response.end("deployed"));
    await new Promise<void>((resolve) => remote.listen(0, "127.0.0.1", resolve));
    await server.control("PUT", "/v1/sessions/fat-toad", {
      session: {
        session_token: "t",
        services: [{ name: "shop", location: `https://${host}:${(remote.address() as AddressInfo).port}` }],
        domains: [{ domain: "example.com", default_service: "shop" }],
      },
      origin_secret: null,
      config_path: null,
    });
    const said = await run([
      ...["curl", "-s", "-m", "20", "-w", " %{http_code}", "-H", "Host: fat-toad.example.com"],
      `http://127.0.0.1:${server.status.browser_port}/`,
    ]);
    check(
      `a deployed service ${host} with a certificate for ${issuedFor}: ${status}`,
      said.endsWith(` ${status}`),
      said,
    );
    remote.close();
    remote.closeAllConnections();
  }
  await server.control("DELETE", "/v1/sessions/fat-toad");
  writeFileSync("/etc/hosts", hosts);
}

function authorityOf(home: string) {
  return {
    certificate: readFileSync(join(home, "certificates/authority.crt.pem"), "utf8"),
    key: readFileSync(join(home, "certificates/authority.key.pem"), "utf8"),
  };
}

/** What a real browser says to the session, and to another name that the same authority signed for. */
async function browse(home: string, file: string, browser: Browser | undefined): Promise<void> {
  if (!browser) {
    console.log("SKIPPED: there is no Firefox: apt-get install -y --no-install-recommends firefox-esr");
    skipped++;
    return;
  }
  const impostor = await issueLeaf(authorityOf(home), IMPOSTOR, Date.now());
  const evil = createHttps({ cert: impostor.certificate, key: impostor.key }, (_request, response) =>
    response.end("stolen"),
  );
  await new Promise<void>((resolve) => evil.listen(0, "127.0.0.1", resolve));
  const { port } = evil.address() as AddressInfo;
  const { name } = browser;
  try {
    const seen = await browser
      .open(`https://${HOST}/`, ["a", "p", "s"])
      .catch((error: Error) => error.message);
    check(
      `${name} loads the page over HTTPS and HTTP/2 without a warning, as a secure context`,
      typeof seen !== "string" && seen.a === `https://${HOST}/` && seen.p === "h2" && seen.s === "true",
      JSON.stringify(seen),
    );
    mkdirSync("test-results", { recursive: true });
    await browser.screenshot(`test-results/local-dns-${file}-${name.toLowerCase()}.png`);
    const refusal = await browser.open(`https://${IMPOSTOR}:${port}/`, []).then(
      () => "accepted",
      (error: Error) => error.message,
    );
    check(
      `${name} refuses what the same authority signed for another name`,
      /ERR_CERT_|CERT_NOT_IN_NAME_SPACE|insecure certificate/i.test(refusal),
      refusal,
    );
  } finally {
    await browser.close();
    evil.close();
    evil.closeAllConnections();
  }
}

/** Its clock is put forward while it runs, and what it shows to browsers is renewed by itself. */
async function renewal(): Promise<void> {
  console.log("\nA certificate that comes to its end");
  const library = process.env.LINKUP_FAKETIME;
  if (!library) {
    console.log("SKIPPED: there is no libfaketime, which is in libfaketime.");
    skipped++;
    return;
  }
  const home = join(directory, "home-renewal");
  const now = Date.now();
  await writeAuthority(home, await createAuthority(["example.com"], now));
  const clock = join(directory, "clock");
  writeFileSync(clock, "+0d");
  await using server = await startLocalServer(["--browser-port", "0"], {
    home,
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: "1",
      DONT_FAKE_MONOTONIC: "1",
    },
  });
  await server.control("PUT", "/v1/leases/test", { ttl_ms: null });
  const shown = () =>
    new Promise<{ serial: string; socket: TLSSocket; days: number }>((resolve, reject) => {
      const socket = connectTls({
        port: server.status.browser_port,
        servername: HOST,
        rejectUnauthorized: false,
      });
      socket.once("error", reject);
      socket.once("secureConnect", () => {
        const { serialNumber, valid_to } = socket.getPeerCertificate();
        resolve({ serial: serialNumber, socket, days: Math.round((Date.parse(valid_to) - now) / DAY_MS) });
      });
    });
  const first = await shown();
  check("the first one ends in 90 days", first.days === 90, String(first.days));
  for (const [day, what] of [
    [59, false],
    [61, true],
  ] as const) {
    writeFileSync(clock, `+${day}d`);
    const renewed = await patiently(async () => {
      const { serial, socket } = await shown();
      socket.destroy();
      return (serial !== first.serial) === what;
    });
    check(`${day} days later it is ${what ? "another one" : "the same"}`, renewed);
  }
  const second = await shown();
  check("which ends 90 days after it was made", second.days === 151, String(second.days));
  check(
    "what was open stays open, in the same process",
    !first.socket.destroyed && server.process.exitCode === null,
  );
  for (const { socket } of [first, second]) socket.destroy();
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

/** What the usual tool says to the answers: about the case of names, EDNS, other types, classes and transports. */
async function digs(): Promise<void> {
  const dig = (...args: string[]) =>
    run(["dig", "+tries=1", "+time=5", "-p", "8053", "@127.0.0.1", ...args]).catch(
      (error: Error) => error.message,
    );
  const mixed = "SLIM-geCKo.exAMple.COM";
  for (const [what, args, wanted] of [
    [
      "A",
      [mixed, "A"],
      [`${mixed}. 5 IN A 127.0.0.1`, "status: NOERROR", "flags: qr aa rd ra;", "EDNS: version: 0"],
    ],
    ["AAAA over TCP", ["+tcp", HOST, "AAAA"], ["IN AAAA ::1", "(TCP)"]],
    ["SOA", [HOST, "SOA"], ["IN SOA linkup.localhost. "]],
    [
      "no MX, with how long that counts",
      [HOST, "MX"],
      ["status: NOERROR", "ANSWER: 0, AUTHORITY: 1", "5 IN SOA"],
    ],
    ["without EDNS", ["+noedns", HOST], ["status: NOERROR", "ADDITIONAL: 0"]],
    [
      "EDNS of a version to come",
      ["+edns=5", "+noednsnegotiation", HOST],
      ["status: BADVERS", "EDNS: version: 0"],
    ],
    [
      "with a cookie and DNSSEC asked for",
      ["+cookie=0123456789abcdef", "+dnssec", HOST],
      ["status: NOERROR", "127.0.0.1"],
    ],
    ["another class", [HOST, "CH", "TXT"], ["status: REFUSED"]],
    ["an update", ["+opcode=update", "+noedns", HOST], ["status: NOTIMP"]],
  ] as const) {
    const said = (await dig(...args)).replaceAll(/[ \t]+/g, " ");
    const lacking = wanted.filter((part) => !said.includes(part));
    check(
      `dig: ${what}`,
      lacking.length === 0 && !/warning|malformed|bad packet|mismatch/i.test(said),
      `${lacking}\n${said}`,
    );
  }
}

/** A long answer of somebody else comes through: cut over UDP, and whole over TCP, which dig tries then by itself. */
async function digLong(): Promise<void> {
  const said = await run(["dig", "-p", "8053", "@127.0.0.1", LONG, "TXT"]).catch(
    (error: Error) => error.message,
  );
  check(
    "dig: a long answer of another resolver, cut over UDP, is whole over TCP",
    said.includes("Truncated, retrying in TCP mode") && said.includes("ANSWER: 20,"),
    said,
  );
}

const VARIANTS: Variant[] = [
  {
    name: "A machine with nothing but a hosts file",
    prepare: hostsFile,
    async installed() {
      await digs();
      const other = "fat-toad.example.com";
      await followSessions([HOST, other]);
      check("the file follows a session that comes", getent(other) !== "");
      await followSessions([HOST]);
      check("and one that goes", getent(other) === "" && getent(HOST) !== "");
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

privateSystem();
try {
  await hostsFile();
  const [wanted = ""] = process.argv.slice(2);
  for (const variant of VARIANTS.filter(({ name }) => name.includes(wanted))) await tryOn(variant);
  await renewal();
} finally {
  for (const path of [...SYSTEM, STATE]) execFileSync("umount", ["--lazy", path]);
  rmSync(directory, { recursive: true, force: true });
}
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
