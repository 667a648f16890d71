/**
 * Local DNS and certificates put into a machine for real, and taken out again: in a mount and network namespace,
 * so that the machine is another one's. Run by `npm run test:dns`.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
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
import { chromium } from "playwright-core";
import { issueLeaf } from "../../core/certificates/authority.ts";
import type { ServerStatus } from "../../core/control.ts";
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

const HOST = "slim-gecko.example.com";
const CHROMIUM = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
/** What an installation may touch. */
const SYSTEM = ["/etc", "/usr/local/share/ca-certificates"];

const directory = mkdtempSync(join(tmpdir(), "linkup-namespace-"));
let failed = 0;
let passed = 0;

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
  execFileSync("ip", ["link", "set", "lo", "up"]);
  // What an earlier package left undone would be done by the installation's run of it.
  execFileSync("update-ca-certificates", { stdio: "ignore" });
}

/** Java's hook of update-ca-certificates writes it anew each time, with the time in it. */
const REWRITTEN = "/etc/ssl/certs/java/cacerts";

/** Every file with its rights and content. */
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
  return all;
}

function differences(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  );
}

function getent(host: string): string {
  return spawnSync("getent", ["hosts", host], { encoding: "utf8" }).stdout.trim();
}

async function patiently(holds: () => boolean | Promise<boolean>): Promise<boolean> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await holds()) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

/** NetworkManager's way with dnsmasq: it runs it on this configuration, and again when told to read it anew. */
function startDnsmasq(): () => void {
  mkdirSync("/etc/NetworkManager/conf.d", { recursive: true });
  mkdirSync("/etc/NetworkManager/dnsmasq.d", { recursive: true });
  writeFileSync("/etc/NetworkManager/conf.d/dns.conf", "[main]\ndns=dnsmasq\n");
  writeFileSync("/etc/resolv.conf", "nameserver 127.0.0.1\n");
  const pidFile = join(directory, "dnsmasq.pid");
  const start = `dnsmasq --pid-file=${pidFile} --no-resolv --no-hosts --bind-interfaces --listen-address=127.0.0.1 --conf-dir=/etc/NetworkManager/dnsmasq.d --user=root`;
  const bin = join(directory, "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(
    join(bin, "nmcli"),
    `#!/bin/sh\n[ "$*" = "general reload dns-full" ] || exit 2\nkill $(cat ${pidFile}); sleep 0.3\nexec ${start}\n`,
  );
  chmodSync(join(bin, "nmcli"), 0o755);
  process.env.PATH = `${bin}:${process.env.PATH}`;
  execFileSync("sh", ["-c", start]);
  return () => spawnSync("sh", ["-c", `kill $(cat ${pidFile})`]);
}

async function variant(name: string, prepare: () => () => void): Promise<void> {
  console.log(`\n${name}`);
  const undoPreparation = prepare();
  const home = join(directory, `home-${name.replaceAll(/\W+/g, "-")}`);
  const userHome = join(directory, `user-${name.replaceAll(/\W+/g, "-")}`);
  const nss = join(userHome, ".pki", "nssdb");
  mkdirSync(nss, { recursive: true });
  process.env.HOME = userHome;
  execFileSync("certutil", ["-N", "-d", `sql:${nss}`, "--empty-password"]);

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

  try {
    const before = picture();
    check("before: the name leads nowhere", getent(HOST) === "");

    const machine = inspectMachine();
    const proposal = await proposeLocalDns(["example.com"], [HOST], { home, machine });
    console.log(proposal.commands.map((command) => `       ${command}`).join("\n"));
    check("looking changes nothing", differences(before, picture()).length === 0);
    await installLocalDns(proposal, { home, machine });
    check("install: the method of this machine", (await localDnsStatus({ home })).method === proposal.method);
    check("getent finds the session", /^(127\.0\.0\.1|::1)\s/.test(getent(HOST)), getent(HOST));
    const standard = async () => {
      const { body } = await server.control("GET", "/v1/status");
      return (body as ServerStatus).https_port === 443;
    };
    check("the local server has port 443", await patiently(standard));

    // Not synchronously: the service that it reaches is in this process.
    const curl = await run([
      ...["curl", "-s", "-m", "20", "-o", "/dev/null", "-w", "%{http_code} %{http_version}"],
      `https://${HOST}/`,
    ]).catch((error: Error) => error.message);
    check("a program of the system trusts it, over HTTP/2", curl === "200 2", curl);
    await browse(home, name);
    await remotes(server, home);

    const again = await proposeLocalDns(["example.com"], [HOST], { home, machine });
    await installLocalDns(again, { home, machine });
    check("install again: still there", /^(127\.0\.0\.1|::1)\s/.test(getent(HOST)));

    await uninstallLocalDns({ home });
    const after = differences(before, picture());
    check("uninstall: the machine is byte for byte as before", after.length === 0, after.join(", "));
    check(
      "uninstall: no browser trusts the authority",
      !/Linkup/.test(execFileSync("certutil", ["-L", "-d", `sql:${nss}`], { encoding: "utf8" })),
    );
    check("uninstall: the name leads nowhere", getent(HOST) === "");
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
    undoPreparation();
  }
}

function page(host: string, tracestate: string): string {
  return `<!doctype html><title>Linkup</title><style>body{font:20px/1.6 system-ui;margin:3rem}code{background:#8882;padding:.1em .4em}</style>
<h1>A session on this machine</h1><p>The service saw <code>Host: ${host}</code> and <code>tracestate: ${tracestate}</code>.</p>
<p>Address: <code id=a></code>, protocol: <code id=p></code>, secure context: <code id=s></code></p>
<script>a.textContent=location.href;p.textContent=performance.getEntriesByType("navigation")[0].nextHopProtocol;s.textContent=isSecureContext</script>`;
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

/** A real Chromium with this user's own authorities. */
async function browse(home: string, name: string): Promise<void> {
  const impostor = await issueLeaf(authorityOf(home), "bank.test", Date.now());
  const evil = createHttps({ cert: impostor.certificate, key: impostor.key }, (_request, response) =>
    response.end("stolen"),
  );
  await new Promise<void>((resolve) => evil.listen(0, "127.0.0.1", resolve));
  const { port } = evil.address() as AddressInfo;
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-dev-shm-usage",
      "--disable-features=LocalNetworkAccessChecks",
      "--host-resolver-rules=MAP bank.test 127.0.0.1",
    ],
  });
  try {
    const tab = await browser.newPage({ viewport: { width: 900, height: 420 } });
    const response = await tab.goto(`https://${HOST}/`);
    check("Chromium loads the page over https without a warning", response?.status() === 200);
    check("over HTTP/2", (await tab.textContent("#p")) === "h2", (await tab.textContent("#p")) ?? "");
    check("as a secure context", (await tab.textContent("#s")) === "true");
    mkdirSync("test-results", { recursive: true });
    await tab.screenshot({ path: `test-results/local-dns-${name.replaceAll(/\W+/g, "-")}.png` });
    const refusal = await tab.goto(`https://bank.test:${port}/`).then(
      () => "accepted",
      (error: Error) => error.message,
    );
    check(
      "Chromium refuses what the same authority signed for another name",
      /ERR_CERT_/.test(refusal),
      refusal,
    );
  } finally {
    await browser.close();
    evil.close();
    evil.closeAllConnections();
  }
}

privateSystem();
try {
  writeFileSync("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
  await variant("a machine with nothing but a hosts file", () => () => {});
  await variant("a machine with NetworkManager's dnsmasq", startDnsmasq);
} finally {
  for (const path of SYSTEM) spawnSync("umount", [path]);
  rmSync(directory, { recursive: true, force: true });
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
