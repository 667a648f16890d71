/** What the Worker reports to those who watch a session, joined with the local server's request log. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import http, { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { explanationLines } from "../../../cli/print/explanation.ts";
import type { EdgeReports, SentEdgeReport } from "../../../core/api/edge-report-api.ts";
import type { Exchange, ExchangeDetails, FollowedExchange } from "../../../core/api/request-log-api.ts";
import { createAuthority, issueLeaf } from "../../../core/certificates/certificate-authority.ts";
import { traceOf } from "../../../core/exchange/trace.ts";
import { controlAddress } from "../../../node/control-address.ts";
import {
  newHome,
  type RunningServer,
  standInPublicOriginBundle,
  startLocalServer,
} from "../local-server/harness.ts";
import { Internet } from "./internet.ts";
import {
  apiOf,
  type StartedService,
  send,
  startWorker as startDirectWorker,
  startService,
  type startWorker,
  TOKEN,
} from "./world.ts";

const SESSION = "slim-gecko";
const PREVIEW = "pr-1";
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SECRET = "Zq8fJ2kLmN4pR6tV";

interface Place {
  worker: Awaited<ReturnType<typeof startWorker>>;
  laptop: RunningServer;
  web: StartedService;
  api: StartedService;
  /** The location of `api`, which runs elsewhere. */
  remote: string;
  tunnel: { url: string };
  internet?: Internet;
  /** The hosts that are not served here, as the Internet has them. */
  publicHosts?: Server;
}

const PLACES = { direct: openDirect, cloudflare: openCloudflare };

describe.each(["direct", "cloudflare"] as const)("with %s tunnels", (kind) => {
  let place: Place;
  let follower: Follower;
  beforeAll(async () => {
    place = await PLACES[kind]();
    follower = await followLog(place.laptop);
    await follower.until(
      (line) => "watch" in line && line.watch.state === "watching",
      "the session is watched at the Worker",
    );
    // Every isolate hears of it within a second.
    const deadline = performance.now() + 10_000;
    while (!(await log(place)).some(({ edge }) => edge !== null)) {
      if (performance.now() > deadline) throw new Error("The Worker reports nothing.");
      await ask(place, "/known");
      await delay(100);
    }
  });
  afterAll(async () => {
    follower?.end();
    await place?.laptop[Symbol.asyncDispose]();
    await Promise.all([place?.web.stop(), place?.api.stop()]);
    await place?.worker.stop();
    await place?.internet?.stop();
    place?.publicHosts?.closeAllConnections();
    place?.publicHosts?.close();
  });

  const seen = (path: string, accept: (exchange: Exchange) => boolean = () => true) =>
    follower.exchange((exchange) => exchange.target.startsWith(path) && accept(exchange), path);

  test("an exchange that passes both hops is one row, with the time of each", async () => {
    const sent = Date.now();
    await ask(place, "/local?both=1");
    const both = await seen("/local?both", ({ edge, state }) => edge !== null && state === "complete");
    expect(both).toMatchObject({
      listener: "tunnel",
      service: "web",
      at: "local",
      session: SESSION,
      session_by: "host",
      status: 200,
      edge: { status: 200, failure: null },
    });
    expect(both.edge!.time).toBeLessThanOrEqual(both.time);
    expect(both.edge!.time).toBeGreaterThan(sent - 2_000);
    expect(both.edge!.first_byte).toBeGreaterThanOrEqual(Math.floor(both.timings.first_byte!) - 1);
    const rows = (await log(place)).filter(({ target }) => target === "/local?both=1");
    expect(rows).toHaveLength(1);
    // The id that joins them is between the hops.
    const answer = JSON.parse((await ask(place, "/local?seen=1")).body);
    expect(Object.keys(answer.headers)).not.toContain("linkup-hop");
  });

  test("an exchange with a deployed service is reported, with what Linkup changed", async () => {
    await ask(place, "/api/users", { authorization: `Bearer ${SECRET}`, "x-mine": "1" });
    const row = await seen("/api/users");
    expect(row).toMatchObject({
      listener: "edge",
      service: "api",
      at: "remote",
      state: "complete",
      status: 200,
      url: `${place.remote}/api/users`,
      trace: expect.stringMatching(/^[0-9a-f]{32}$/),
      lost_from: null,
    });
    const details = await detailsOf(place, row.id);
    expect(details.explanation).toMatchObject({
      session: SESSION,
      decision: { outcome: "routed", service: { name: "api" } },
    });
    expect(Object.fromEntries(details.request_headers)).toMatchObject({
      authorization: "Bearer ***",
      "x-mine": "1",
    });
    expect(Object.fromEntries(details.sent_headers!)).toMatchObject({
      "linkup-destination": "api",
      tracestate: `linkup-session=${SESSION}`,
      authorization: "Bearer ***",
    });
    expect(Object.fromEntries(details.service_headers!)).toMatchObject({
      "content-type": "application/json",
    });
    expect(Object.fromEntries(details.response_headers!)).toMatchObject({ "cache-control": "no-cache" });
    expect(JSON.stringify(details)).not.toContain(SECRET);
  });

  test("a header that Linkup changed and that is too long for a report is left out of it", async () => {
    const cookie = `${"a".repeat(45_000)}=1; linkup-session=${SESSION}`;
    await ask(place, "/api/long", { cookie });
    const { sent_headers } = await detailsOf(place, (await seen("/api/long")).id);
    const names = sent_headers!.map(([name]) => name);
    expect(names).toContain("linkup-destination");
    expect(names).not.toContain("cookie");
  });

  test("a request that this machine sends to the Worker is one row too, with the time of each hop", async () => {
    const sent = await here(place, "/far/copy");
    expect(sent.status).toBe(200);
    // It comes to the deployed service, without the id that joins the hops.
    expect(JSON.parse(sent.body)).toMatchObject({ service: "api", url: "/far/copy" });
    expect(Object.keys(JSON.parse(sent.body).headers)).not.toContain("linkup-hop");
    const both = await seen("/far/copy", ({ edge, state }) => edge !== null && state === "complete");
    expect(both).toMatchObject({
      listener: "browser",
      service: "far",
      session: SESSION,
      edge: { after: true, status: 200, url: `${place.remote}/far/copy` },
    });
    const { edge, timings, time } = both;
    expect(edge!.time).toBeGreaterThanOrEqual(Math.floor(time));
    expect(edge!.time + edge!.first_byte).toBeLessThanOrEqual(time + timings.first_byte! + 2);
    expect((await log(place)).filter(({ target }) => target === "/far/copy")).toHaveLength(1);
    const { spans } = traceOf([both]);
    expect(spans.map(({ hop, depth }) => [hop, depth])).toEqual([
      ["local-server", 0],
      ["worker", 1],
    ]);
    const { sent_headers } = await detailsOf(place, both.id);
    expect(sent_headers).toContainEqual(["linkup-hop", expect.stringMatching(/^[0-9a-f]{16}$/)]);
    // Whoever copies the header to requests of their own does not hide them behind this row.
    const [, hop] = sent_headers!.find(([name]) => name === "linkup-hop")!;
    await ask(place, "/api/copied", { "linkup-hop": hop, "linkup-hops": "1" });
    expect(await seen("/api/copied")).toMatchObject({ listener: "edge", edge: { after: false } });
  });

  test("a host of the Worker that comes here by local DNS is one row of its session", async () => {
    const preview = { desired_name: PREVIEW, ...documentOf({ web: place.remote }) };
    expect((await apiOf(place.worker.url)("POST", "/linkup/v2/sessions/preview", preview)).status).toBe(200);
    const edge = { url: place.worker.url, token: TOKEN };
    const session = { kind: "preview", session_token: "owner", ...documentOf({ web: place.remote }) };
    const watched = { session, origin_secret: null, config_path: null, edge };
    expect((await place.laptop.control("PUT", `/v1/sessions/${PREVIEW}`, watched)).status).toBe(200);
    await follower.until(
      (line) => "watch" in line && line.watch.session === PREVIEW && line.watch.state === "watching",
      "the preview is watched",
    );
    const host = `${PREVIEW}.example.com`;
    const isOver = ({ host: of, state }: Exchange) => of === host && state === "complete";
    const deadline = performance.now() + 10_000;
    let row: Exchange | undefined;
    while (!row && performance.now() < deadline) {
      const { status, body } = await here(place, "/plain?token=secret", host);
      expect([status, JSON.parse(body).url]).toEqual([200, "/plain?token=secret"]);
      await delay(100);
      row = (await log(place)).find((one) => isOver(one) && one.edge !== null);
    }
    expect(row).toMatchObject({
      listener: "browser",
      session: PREVIEW,
      trace: expect.stringMatching(/^[0-9a-f]{32}$/),
      trace_began: true,
      sender: null,
      service: "web",
      at: "remote",
      target: "/plain?token=***",
      status: 200,
      edge: { after: true, status: 200, url: `${place.remote}/plain?token=***` },
    });
    const { spans } = traceOf([row!]);
    expect(spans.map(({ hop }) => hop)).toEqual(["local-server", "worker"]);
    const { explanation, sent_headers } = await detailsOf(place, row!.id);
    expect(explanation).toMatchObject({
      public_host: host,
      session: PREVIEW,
      decision: { outcome: "routed", service: { name: "web" } },
    });
    const explained = explanationLines(`https://${host}/`, explanation);
    expect(explained).toContain("it is forwarded to its public origin.\n");
    expect(explained).toContain(`→ ${place.remote}/plain`);
    expect(Object.fromEntries(sent_headers!)).toMatchObject({ tracestate: `linkup-session=${PREVIEW}` });
    // One row for each request, from the listener that it came to.
    const rows = (await log(place)).filter((one) => one.host === host);
    expect(new Set(rows.map(({ listener }) => listener))).toEqual(new Set(["browser"]));
  });

  test("the time until the head and until the end of the body, which comes as the service sent it", async () => {
    const slow = await ask(place, "/api/slow");
    expect(slow.body).toBe("first, last");
    const open = await seen("/api/slow", ({ state }) => state === "open");
    expect(open.timings).toMatchObject({ first_byte: expect.any(Number), total: null });
    const { id, timings } = await seen("/api/slow", ({ state }) => state === "complete");
    expect(id).toBe(open.id);
    expect(timings.first_byte).toBeLessThan(SLOW_MS);
    expect(timings.total).toBeGreaterThanOrEqual(SLOW_MS - 5);

    for (const accept of ["gzip", "identity"]) {
      const { headers, raw } = await askRaw(place, "/api/zipped", { "accept-encoding": accept });
      expect(headers["content-encoding"]).toBe("gzip");
      expect(headers["content-length"]).toBe(String(ZIPPED.length));
      expect(raw.equals(ZIPPED)).toBe(true);
    }
    expect((await seen("/api/zipped")).timings.total).not.toBeNull();

    // Of a short one only the head is worth a measurement.
    await ask(place, "/api/short");
    const short = await seen("/api/short");
    expect([short.state, short.timings.total, short.edge!.total]).toEqual([
      "complete",
      short.timings.first_byte,
      null,
    ]);

    await expect(askRaw(place, "/api/broken")).rejects.toThrow();
    expect(await seen("/api/broken", ({ state }) => state === "broken")).toMatchObject({
      broken: { by: null },
    });
    await leave(place, "/api/endless");
    expect(await seen("/api/endless", ({ state }) => state === "broken")).toMatchObject({
      broken: { by: null },
    });
  });

  test("what the Worker answers itself is reported: no service, and no tunnel", async () => {
    await ask(place, "/none", { host: `${SESSION}.other.example.org` });
    expect(await seen("/none")).toMatchObject({
      listener: "edge",
      status: 404,
      failure: "no-target",
      service: null,
      at: null,
    });
    if (kind !== "cloudflare") return;
    const tunnelHost = new URL(place.tunnel.url).host;
    const lead = place.internet!.hosts.get(tunnelHost)!;
    place.internet!.hosts.set(tunnelHost, (_request, response) => {
      response.writeHead(530).end("error code: 1033");
    });
    await ask(place, "/asleep");
    place.internet!.hosts.set(tunnelHost, lead);
    expect(await seen("/asleep")).toMatchObject({ listener: "edge", status: 502, failure: "tunnel-down" });
  });

  test("a request without a session that carries a trace of it has lost the session", async () => {
    const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
    const answer = await ask(place, "/lost", {
      host: "api.example.com",
      traceparent,
      "user-agent": "billing/1.0",
    });
    expect(answer.status).toBe(422);
    // Its trace is known only now: the page's request ends after those that it leads to.
    await ask(place, "/api/first", { traceparent });
    expect(await seen("/lost", ({ listener }) => listener === "edge")).toMatchObject({
      session: null,
      lost_from: SESSION,
      status: 422,
      failure: "unknown-session",
      trace: TRACE,
      sender: "billing/1.0; it propagates traceparent, but not tracestate",
    });
    // Of a trace that is nobody's nothing is told.
    await ask(place, "/stranger", {
      host: "api.example.com",
      traceparent: `00-${"1".repeat(32)}-b7ad6b7169203331-01`,
    });
    await ask(place, "/api/after");
    await seen("/api/after");
    expect((await log(place)).some(({ target }) => target === "/stranger")).toBe(false);
  });

  test("only the session's owner may watch", async () => {
    const path = `/linkup/v2/sessions/${SESSION}/watch`;
    expect((await apiOf(place.worker.url, "wrong-token-of-somebody")("GET", path)).status).toBe(401);
    expect((await apiOf(place.worker.url)("GET", path)).status).toBe(426);
    expect(await handshake(place.worker.url, `/linkup/v2/sessions/no-such/watch`, TOKEN)).toBe(404);
    const { token } = (
      await apiOf(place.worker.url)("POST", "/linkup/v2/tokens", { name: `ci-${kind}` })
    ).json();
    expect(await handshake(place.worker.url, path, String(token))).toBe(403);
  });
});

test("nothing is reported without a watcher", async () => {
  await using laptop = await startLocalServer();
  const web = await startService("web");
  const worker = await startDirectWorker();
  try {
    const place = { worker, laptop, web, api: web, remote: web.url, tunnel: { url: "" } };
    await openSession(place, `http://127.0.0.1:${laptop.status.tunnel_port}`);
    await ask(place, "/unwatched");
    const [row] = await log(place);
    expect(row).toMatchObject({ target: "/unwatched", edge: null });
    const { headers } = JSON.parse((await ask(place, "/api/headers")).body);
    expect(headers).not.toHaveProperty("linkup-hop");
  } finally {
    await worker.stop();
    await web.stop();
  }
});

test("a Worker without a request log is reported, and local rows still arrive", async () => {
  await using laptop = await startLocalServer();
  const web = await startService("web");
  try {
    await putSession(laptop, { web: web.url, api: web.url, far: web.url }, null);
    const follower = await followLog(laptop);
    await follower.until((line) => "watch" in line && line.watch.state === "unsupported", "it is said");
    await send(`http://127.0.0.1:${laptop.status.browser_port}`, "/here", {
      headers: { host: `${SESSION}.example.com` },
    });
    await follower.exchange(({ target, state }) => target === "/here" && state === "complete", "/here");
    follower.end();
  } finally {
    await web.stop();
  }
});

test("a hostile Worker's messages are dropped, and its corrections stay within reason", async () => {
  const { parseEdgeMessage } = await import("../../../local-server/edge/parse-edge-message.ts");
  expect(parseEdgeMessage("{")).toBeUndefined();
  expect(parseEdgeMessage(new ArrayBuffer(8))).toBeUndefined();
  const none = { reports: [], dropped: 1 };
  expect(parseEdgeMessage(`{"lines":[],"reports":[{}],"dropped":0}`)).toEqual(none);
  expect(parseEdgeMessage(JSON.stringify({ ...MESSAGE, reports: [{ ...SENT_REPORT, hop: "x" }] }))).toEqual(
    none,
  );
  expect(parseEdgeMessage(JSON.stringify(MESSAGE))).toEqual({
    reports: [{ ...SENT_REPORT, request_headers: [["a", "b"]] }],
    dropped: 0,
  });
  expect(parseEdgeMessage(`{"echo":1,"now":2}`)).toEqual({ echo: 1, now: 2 });
});

const SENT_REPORT: SentEdgeReport = {
  hop: "0123456789abcdef",
  lost: false,
  time: 1,
  protocol: null,
  secure: true,
  method: "GET",
  host: "a.example",
  target: "/",
  session_by: "host",
  service: null,
  at: null,
  url: null,
  status: 404,
  failure: "no-target",
  first_byte: 1,
  request_bytes: null,
  response_bytes: null,
  trace: null,
  sender: null,
  request_headers: [0],
  sent_headers: null,
  service_headers: null,
  response_headers: [],
};
const MESSAGE: EdgeReports = { lines: [["a", "b"]], reports: [SENT_REPORT], dropped: 0 };

/** Longer than those whose end is not measured. */
const ZIPPED = gzipSync(randomBytes(100_000));
/** Longer than the Worker waits before it reports an exchange that goes on. */
const SLOW_MS = 600;

/** The deployed service: its answers last, break off or are compressed. */
function startApi(): Promise<StartedService> {
  return startService("api", (request, response) => {
    switch (request.url) {
      case "/api/slow":
        response.write("first, ");
        setTimeout(() => response.end("last"), SLOW_MS);
        return;
      case "/api/zipped":
        response.writeHead(200, { "content-encoding": "gzip", "content-length": ZIPPED.length });
        response.end(ZIPPED);
        return;
      case "/api/broken":
        response.writeHead(200, { "content-length": 100_000 }).write("half");
        setTimeout(() => response.destroy(), SLOW_MS);
        return;
      case "/api/endless": {
        const timer = setInterval(() => response.write("more"), 20);
        response.on("close", () => clearInterval(timer));
        return;
      }
      default: {
        const { method, url, headers } = request;
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ service: "api", method, url, headers }));
      }
    }
  });
}

/** The bytes as they came. Rejects when they do not come to their end. */
function askRaw(
  { worker }: Place,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ headers: IncomingMessage["headers"]; raw: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<{
    headers: IncomingMessage["headers"];
    raw: Buffer;
  }>();
  const options = { headers: { host: `${SESSION}.example.com`, ...headers }, agent: false as const };
  const call = http.get(worker.url + path, options, (response) => {
    const parts: Buffer[] = [];
    response.on("data", (part) => parts.push(part));
    response.on("error", reject);
    response.on("end", () => resolve({ headers: response.headers, raw: Buffer.concat(parts) }));
  });
  call.on("error", reject);
  return promise;
}

/** Disconnects in the middle of the response. */
async function leave({ worker }: Place, path: string): Promise<void> {
  const call = http.get(worker.url + path, { headers: { host: `${SESSION}.example.com` }, agent: false });
  call.on("error", () => {});
  const [response] = (await once(call, "response")) as [IncomingMessage];
  response.on("error", () => {});
  await once(response, "data");
  call.destroy();
}

/** A local server that finds the domains' other hosts where `publicHosts` leads. */
async function startLaptop() {
  const authority = await createAuthority(["example.com"], Date.now());
  const { certificate: cert, key } = await issueLeaf(authority, "example.com", Date.now());
  const publicHosts = createServer({ cert, key });
  publicHosts.listen(0, "127.0.0.1");
  await once(publicHosts, "listening");
  const file = join(newHome(), "authority.pem");
  writeFileSync(file, authority.certificate);
  const laptop = await startLocalServer(undefined, {
    env: {
      STAND_IN_PUBLIC_ORIGIN_PORT: String((publicHosts.address() as AddressInfo).port),
      NODE_EXTRA_CA_CERTS: file,
    },
    bundle: standInPublicOriginBundle(),
  });
  return { laptop, publicHosts };
}

async function openDirect(): Promise<Place> {
  const { laptop, publicHosts } = await startLaptop();
  const [web, api] = await Promise.all([startService("web"), startApi()]);
  const worker = await startDirectWorker();
  publicHosts.on("request", leadTo(worker.url));
  const place = { publicHosts, worker, laptop, web, api, remote: api.url, tunnel: { url: "" } };
  return openSession(place, `http://127.0.0.1:${laptop.status.tunnel_port}`);
}

async function openCloudflare(): Promise<Place> {
  const internet = await new Internet().start();
  const { laptop, publicHosts } = await startLaptop();
  const [web, api] = await Promise.all([startService("web"), startApi()]);
  const worker = await internet.startWorker({ LINKUP_API_RATE: "100000" });
  publicHosts.on("request", leadTo(worker.url));
  const remote = "https://api.example.net";
  internet.hosts.set("api.example.net", leadTo(api.url));
  const place = await openSession(
    { publicHosts, worker, laptop, web, api, remote, tunnel: { url: "" }, internet },
    undefined,
  );
  internet.hosts.set(new URL(place.tunnel.url).host, leadTo(`http://127.0.0.1:${laptop.status.tunnel_port}`));
  return place;
}

/** A host that is this server. */
function leadTo(url: string) {
  const { hostname, port } = new URL(url);
  return (request: IncomingMessage, response: ServerResponse) => {
    const { method, url: path, headers } = request;
    const onward = httpRequest({ hostname, port, method, path, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.on("error", () => response.destroy()).pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  };
}

async function openSession(place: Place, tunnelUrl: string | undefined): Promise<Place> {
  const { worker, laptop, web, remote } = place;
  const answer = await apiOf(worker.url)("POST", "/linkup/v2/sessions/tunneled", {
    desired_name: SESSION,
    session_token: "owner",
    ...documentOf({ web: "http://localhost:1", api: remote, far: remote }),
    ...(tunnelUrl ? { tunnel_url: tunnelUrl } : {}),
  });
  if (answer.status !== 200) throw new Error(answer.body);
  const { tunnel_data, origin_secret } = answer.json() as {
    tunnel_data: { url: string };
    origin_secret: string;
  };
  await putSession(
    laptop,
    { web: web.url, api: remote, far: worker.url },
    { url: worker.url, token: TOKEN },
    origin_secret,
  );
  return { ...place, tunnel: tunnel_data };
}

/** `far` is another session's, which does not have it: the Worker, to which this machine sends its requests, asks the deployed one. */
function documentOf({ web, api = web, far = web }: { web: string; api?: string; far?: string }) {
  return {
    services: [
      { name: "web", location: web },
      { name: "api", location: api },
      { name: "far", location: far, session: "calm-otter" },
    ],
    domains: [
      {
        domain: "example.com",
        default_service: "web",
        routes: [
          { path: "^/api/", service: "api" },
          { path: "^/far/", service: "far" },
        ],
      },
    ],
  };
}

async function putSession(
  laptop: RunningServer,
  services: { web: string; api: string; far: string },
  edge: { url: string; token: string } | null,
  origin_secret: string | null = null,
): Promise<void> {
  const session = { kind: "tunneled", session_token: "owner", ...documentOf(services) };
  const body = { session, origin_secret, config_path: null, edge };
  const { status, body: answer } = await laptop.control("PUT", `/v1/sessions/${SESSION}`, body);
  if (status !== 200) throw new Error(JSON.stringify(answer));
}

function ask({ worker }: Place, path: string, headers: Record<string, string> = {}) {
  return send(worker.url, path, { headers: { host: `${SESSION}.example.com`, ...headers } });
}

/** To this machine's own listener. */
function here({ laptop }: Place, path: string, host = `${SESSION}.example.com`) {
  return send(`http://127.0.0.1:${laptop.status.browser_port}`, path, { headers: { host } });
}

async function log({ laptop }: Pick<Place, "laptop">): Promise<Exchange[]> {
  const { body } = await laptop.control("GET", "/v1/requests?limit=5000");
  return (body as { requests: Exchange[] }).requests;
}

async function detailsOf({ laptop }: Place, id: number): Promise<ExchangeDetails> {
  return (await laptop.control("GET", `/v1/requests/${id}`)).body as ExchangeDetails;
}

/** The status of the answer to a WebSocket's handshake. */
function handshake(base: string, path: string, token: string): Promise<number> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const request = http.request({
      hostname,
      port,
      path,
      headers: {
        authorization: `Bearer ${token}`,
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      },
    });
    request.on("response", (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    request.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve(response.statusCode!);
    });
    request.on("error", reject);
    request.end();
  });
}

interface Follower {
  until(accept: (line: FollowedExchange) => boolean, what: string): Promise<FollowedExchange>;
  exchange(accept: (exchange: Exchange) => boolean, what: string): Promise<Exchange>;
  end(): void;
}

async function followLog({ home }: RunningServer): Promise<Follower> {
  const lines: FollowedExchange[] = [];
  let text = "";
  const call = httpRequest({ socketPath: controlAddress(home), path: "/v1/requests/follow?limit=0" });
  call.on("error", () => {});
  call.end();
  call.on("response", (response) => {
    response.on("error", () => {});
    response.setEncoding("utf8").on("data", (chunk: string) => {
      const parts = (text + chunk).split("\n");
      text = parts.pop()!;
      for (const part of parts) lines.push(JSON.parse(part));
    });
  });
  const until = async (accept: (line: FollowedExchange) => boolean, what: string) => {
    const deadline = performance.now() + 10_000;
    for (;;) {
      const found = lines.find(accept);
      if (found) return found;
      if (performance.now() > deadline)
        throw new Error(`${what}: not told. Last lines: ${JSON.stringify(lines.slice(-5))}`);
      await delay(20);
    }
  };
  return {
    until,
    exchange: async (accept, what) => (await until((line) => "id" in line && accept(line), what)) as Exchange,
    end: () => call.destroy(),
  };
}
