/** Local DNS put into one kind of machine, used there, and taken out again. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import type { ServerStatus } from "../../../core/api/control-api.ts";
import { issueLeaf } from "../../../core/certificates/certificate-authority.ts";
import { nssName } from "../../../manager/components/certificates/trust.ts";
import { checkTrustStores } from "../../../manager/components/certificates/verify.ts";
import {
  installLocalDns,
  localDnsStatus,
  proposeLocalDns,
  uninstallLocalDns,
} from "../../../manager/components/local-dns/local-dns.ts";
import { inspectMachine, run } from "../../../manager/components/system/machine.ts";
import { checkLocalDns } from "../../../manager/doctor/local-dns-check.ts";
import {
  localDnsBundle,
  type RunningServer,
  spawnBundle,
  startLocalServer,
} from "../local-server/harness.ts";
import { browserStores, IMPOSTOR, type InstalledBrowser, openChromium, openFirefox } from "./browsers.ts";
import { check, differences, picture, skip } from "./checks.ts";
import { getent, patiently, type Teardown } from "./systems.ts";

export const HOST = "slim-gecko.example.com";

export interface Variant {
  name: string;
  prepare(directory: string): Promise<Teardown>;
  /** A program that it needs and this machine may lack, with the packages that have it. */
  needs?: { program: string; packages: string };
  /** Names that are not ours, as this machine finds them. */
  elsewhere?: Record<string, string>;
  /** What else has to be so while it is installed. */
  installed?(dns: RunningDns): Promise<void>;
}

type RunningDns = ReturnType<typeof spawnBundle>;

export async function tryOn(
  directory: string,
  { name, prepare, needs, elsewhere = {}, installed }: Variant,
): Promise<void> {
  console.log(`\n${name}`);
  if (needs && !existsSync(needs.program)) {
    skip(`there is no ${needs.program}, which is in ${needs.packages}.`);
    return;
  }
  const undoPreparation = await prepare(directory);
  const file = name.replaceAll(/\W+/g, "-");
  const home = join(directory, `home-${file}`);
  const userHome = join(directory, `user-${file}`);
  process.env.HOME = userHome;
  const stores = browserStores(userHome);

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

/** What a real browser says to the session, and to another name that the same authority signed for. */
async function browse(home: string, file: string, browser: InstalledBrowser | undefined): Promise<void> {
  if (!browser) {
    skip("there is no Firefox: apt-get install -y --no-install-recommends firefox-esr");
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

/** What `linkup health` finds out: while every store trusts, and when somebody has taken the authority out of one. */
async function trust(home: string, sha256: string, stores: Record<string, string>): Promise<void> {
  const asked = () => checkTrustStores(home, inspectMachine());
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

function page(host: string, tracestate: string): string {
  return `<!doctype html><title>Linkup</title><style>body{font:20px/1.6 system-ui;margin:3rem}code{background:#8882;padding:.1em .4em}</style>
<h1>A session on this machine</h1><p>The service saw <code>Host: ${host}</code> and <code>tracestate: ${tracestate}</code>.</p>
<p>Address: <code id=a></code>, protocol: <code id=p></code>, secure context: <code id=s></code></p>
<p>Browser: <code id=b></code></p>
<script>b.textContent=navigator.userAgent.match(/(Firefox|Chrome)\\/\\d+/)[0].replace("Chrome","Chromium");a.textContent=location.href;p.textContent=performance.getEntriesByType("navigation")[0].nextHopProtocol;s.textContent=isSecureContext</script>`;
}
