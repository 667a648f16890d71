/** Our Worker, as the original's command line and local server meet it. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { startWorker } from "../../scripts/embedded-worker.mjs";
import { OriginalCli, type OriginalConfig, Refused } from "./original-cli.ts";
import { OriginalLocalServer } from "./original-local-server.ts";
import { ask, type EchoService, startEchoService } from "./services.ts";

const TOKEN = "token-of-the-original";
const DOMAIN = "example.com";

let worker: Awaited<ReturnType<typeof startWorker>>;
let laptop: OriginalLocalServer;
const services: Record<string, EchoService> = {};

beforeAll(async () => {
  laptop = await OriginalLocalServer.start();
  worker = await startWorker({ token: TOKEN, tunnelUrl: laptop.url });
  for (const name of ["remote web", "remote api", "local web", "local api"])
    services[name] = await startEchoService(name);
});
afterAll(async () => {
  await worker.stop();
  await laptop.stop();
  for (const service of Object.values(services)) await service.stop();
});

const at = (name: string) => services[name]!.url;
const onLaptop = (name: string) => at(name).replace("127.0.0.1", "localhost");

function config(): OriginalConfig {
  return {
    worker_url: worker.url,
    worker_token: TOKEN,
    services: [
      {
        name: "web",
        remote: at("remote web"),
        local: onLaptop("local web"),
        rewrites: [{ source: "/foo/(.*)", target: "/bar/$1" }],
      },
      {
        name: "api",
        remote: at("remote api"),
        local: onLaptop("local api"),
        rewrites: [{ source: "/api/v2/(.*)", target: "/$1" }],
      },
    ],
    domains: [
      { domain: DOMAIN, default_service: "web", routes: [{ path: "/api/v2/.*", service: "api" }] },
      { domain: `api.${DOMAIN}`, default_service: "api" },
    ],
  };
}

/** The session of the command line, as its local server gets it. */
function serveOnLaptop(cli: OriginalCli): void {
  const { domains, services } = cli.config;
  laptop.sessions.set(cli.name!, {
    services: services.map(({ name, local, remote, rewrites = null }) => ({
      name,
      location: cli.targets.get(name) === "local" ? local : remote,
      rewrites,
    })),
    domains,
  });
}

const get = (host: string, path = "/", headers: Record<string, string | string[]> = {}) =>
  ask(worker.url, path, { ...headers, host });

async function started(targets: Record<string, "local" | "remote"> = {}): Promise<OriginalCli> {
  const cli = new OriginalCli(config());
  for (const [service, target] of Object.entries(targets)) cli.targets.set(service, target);
  await cli.start();
  serveOnLaptop(cli);
  return cli;
}

describe("linkup start of the original", () => {
  test("gets an animal's name and the data of a tunnel that cloudflared can use", async () => {
    const cli = await started();
    expect(await cli.check()).toBe("OK");
    expect(cli.name).toMatch(/^[a-z]+-[a-z]+$/);
    expect(Buffer.from(cli.tunnel!.secret, "base64")).toHaveLength(32);
    expect(cli.tunnel!.name).toContain(cli.name!);
    expect(cli.tunnel!.last_started).toBeLessThanOrEqual(Date.now());
    expect((await get(`${cli.name}.${DOMAIN}`)).asked().service).toBe("remote web");
  });

  test("again: the same name, the same tunnel", async () => {
    const cli = await started();
    const { name, tunnel } = cli;
    expect(await cli.start()).toBe(name);
    expect({ ...cli.tunnel, last_started: 0 }).toEqual({ ...tunnel, last_started: 0 });
    expect(cli.tunnel!.last_started).toBeGreaterThanOrEqual(tunnel!.last_started);
  });

  test("with a name of someone else: 409, and then another name", async () => {
    const first = await started();
    const second = new OriginalCli(config());
    second.name = first.name;
    expect(await second.start()).not.toBe(first.name);
    const { body } = await ask(
      worker.url,
      "/linkup/v2/sessions/tunneled",
      { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      {
        method: "POST",
        body: JSON.stringify({
          desired_name: first.name,
          session_token: "other",
          services: [{ name: "web", location: at("remote web"), rewrites: null }],
          domains: [{ domain: DOMAIN, default_service: "web", routes: null }],
        }),
      },
    );
    expect(body).toBe("Conflict");
  });

  test("with another token: 401", async () => {
    const cli = new OriginalCli({ ...config(), worker_token: "wrong" });
    await expect(cli.start()).rejects.toMatchObject({ status: 401 });
    await expect(cli.check()).rejects.toMatchObject({ status: 401 });
  });
});

describe("requests, with the original's local server behind the tunnel", () => {
  test("follow linkup local and linkup remote", async () => {
    const cli = await started();
    await cli.route("web", "local");
    serveOnLaptop(cli);
    expect((await get(`${cli.name}.${DOMAIN}`)).asked().service).toBe("local web");
    expect((await get(`${cli.name}.${DOMAIN}`, "/api/v2/user")).asked().service).toBe("remote api");
    await cli.route("web", "remote");
    serveOnLaptop(cli);
    expect((await get(`${cli.name}.${DOMAIN}`)).asked().service).toBe("remote web");
  });

  test("are rewritten once, though both hops know the rewrites", async () => {
    const cli = await started({ web: "local", api: "local" });
    const host = `${cli.name}.${DOMAIN}`;
    expect((await get(host, "/foo/foo/b?a=/foo/")).asked()).toMatchObject({
      service: "local web",
      url: "/bar/foo/b?a=/foo/",
    });
    expect((await get(host, "/api/v2/api/v2/user")).asked()).toMatchObject({
      service: "local api",
      url: "/api/v2/user",
    });
  });

  test.each([
    ["the host", (name: string) => ({ host: `${name}.${DOMAIN}` })],
    ["x-forwarded-host", (name: string) => ({ host: DOMAIN, "x-forwarded-host": `${name}.${DOMAIN}` })],
    ["Referer", (name: string) => ({ host: DOMAIN, referer: `https://${name}.${DOMAIN}/a` })],
    ["Origin", (name: string) => ({ host: DOMAIN, origin: `https://${name}.${DOMAIN}` })],
    ["tracestate", (name: string) => ({ host: DOMAIN, tracestate: `a=b , linkup-session=${name}` })],
    [
      "tracestate, after a member of a session that is gone",
      (name: string) => ({ host: DOMAIN, tracestate: `linkup-session=gone-gecko,linkup-session=${name}` }),
    ],
  ])("find their session by %s", async (_, headers) => {
    const cli = await started({ web: "local" });
    const { host, ...others } = headers(cli.name!) as { host: string };
    const { service, headers: arrived } = (await get(host, "/", others)).asked();
    expect(service).toBe("local web");
    expect(arrived["linkup-destination"]).toBe("web");
    expect(arrived.tracestate).toContain(`linkup-session=${cli.name}`);
    expect(arrived.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(arrived["x-forwarded-host"]).toBe(`${cli.name}.${DOMAIN}`);
    expect(arrived.host).toBe(new URL(onLaptop("local web")).host);
  });

  test("keep redirects, every Set-Cookie and one line of cookies", async () => {
    const cli = await started({ web: "local" });
    const host = `${cli.name}.${DOMAIN}`;
    const redirected = await get(host, "/redirect");
    expect([redirected.status, redirected.headers.location]).toEqual([
      302,
      ["https://elsewhere.example.com/"],
    ]);
    expect((await get(host, "/cookies")).headers["set-cookie"]).toEqual(["a=1; Path=/", "b=2; Path=/"]);
    const cookies = (await get(host, "/", { cookie: ["a=1", "b=2"] })).asked();
    expect(cookies.headers.cookie).toBe("a=1; b=2");
    expect((await get(host)).headers["cache-control"]).toEqual(["no-cache"]);
  });

  test("of a service that calls another one are told from the next hop's view", async () => {
    const cli = await started({ web: "local", api: "local" });
    const { headers } = (await get(`${cli.name}.${DOMAIN}`)).asked();
    const { tracestate, traceparent } = headers as Record<string, string>;
    const next = await get(`api.${DOMAIN}`, "/api/v2/user", {
      tracestate: tracestate!,
      traceparent: traceparent!,
    });
    expect(next.asked()).toMatchObject({ service: "local api", url: "/user", headers: { traceparent } });
  });

  test("without a session: 422, with one but no domain: 404", async () => {
    const cli = await started();
    const unknown = await get(DOMAIN);
    expect([unknown.status, unknown.headers["cache-control"]]).toEqual([422, ["no-store"]]);
    expect(unknown.body).toMatch(/^Linkup was unable to determine the session origin of the request\./);
    const elsewhere = await get("elsewhere.net", "/", { tracestate: `linkup-session=${cli.name}` });
    expect(elsewhere.status).toBe(404);
    expect(elsewhere.body).toMatch(
      /^The request belonged to a session, but there was no target for the request\./,
    );
  });

  test.each([
    ["GET", "*", DOMAIN],
    ["OPTIONS", "*", DOMAIN],
    ["GET", "/linkup/check", "a b"],
    ["GET", "/linkup/check", "[::1"],
    ["GET", "/linkup/check", "example.com:99999"],
  ])("that are malformed reach no service: %s %s of %j", async (method, target, host) => {
    const cli = await started();
    const lines = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, `tracestate: linkup-session=${cli.name}`];
    const socket = connect(Number(new URL(worker.url).port), "127.0.0.1");
    socket.write(`${lines.join("\r\n")}\r\nConnection: close\r\n\r\n`);
    let answer = "";
    for await (const part of socket) answer += part;
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  test("to change protocols reach the laptop's WebSocket", async () => {
    const cli = await started({ web: "local" });
    const socket = new WebSocket(worker.url.replace("http", "ws"), {
      headers: { host: `${cli.name}.${DOMAIN}` },
    });
    await once(socket, "open");
    socket.send("hello");
    const [message] = await once(socket, "message");
    expect(String(message)).toBe("local web: hello");
    socket.close();
    await once(socket, "close");
  });
});

describe("linkup preview of the original", () => {
  test("names the same content the same, in whatever order it is written", async () => {
    const overrides = { web: at("local web") };
    const name = await new OriginalCli(config()).preview(overrides);
    expect(name).toMatch(/^[0-9a-f]{6}$/);
    expect((await get(`${name}.${DOMAIN}`)).asked().service).toBe("local web");
    const { services, domains, ...rest } = config();
    const reversed = { ...rest, services: services.toReversed(), domains: domains.toReversed() };
    expect(await new OriginalCli(reversed).preview(overrides)).toBe(name);
    expect(await new OriginalCli(config()).preview({})).not.toBe(name);
  });

  test("takes the name that is given, and refuses localhost", async () => {
    const cli = new OriginalCli(config());
    expect(await cli.preview({}, "pr-1234")).toBe("pr-1234");
    expect(await cli.preview({ web: at("local web") }, "pr-1234")).toBe("pr-1234");
    expect((await get(`pr-1234.${DOMAIN}`)).asked().service).toBe("local web");
    const refused = await cli.preview({ web: "http://localhost:3000" }).catch((error) => error);
    expect(refused).toBeInstanceOf(Refused);
    expect(refused.status).toBe(400);
  });
});

describe("the original of the first API", () => {
  test("starts, and its local services are reached through the tunnel", async () => {
    const cli = new OriginalCli(config());
    cli.targets.set("web", "local");
    await cli.startAsVersion1();
    serveOnLaptop(cli);
    expect(cli.name).toMatch(/^[a-z]+-[a-z]+$/);
    expect((await get(`${cli.name}.${DOMAIN}`, "/foo/a")).asked()).toMatchObject({
      service: "local web",
      url: "/bar/a",
    });
    const { name } = cli;
    await cli.startAsVersion1();
    expect(cli.name).toBe(name);
  });

  test("without a tunnel: its local services answer 422, the others serve", async () => {
    const cli = new OriginalCli(config());
    cli.targets.set("web", "local");
    await cli.startAsVersion1(true);
    const answer = await get(`${cli.name}.${DOMAIN}`);
    expect(answer.status).toBe(422);
    expect(answer.body).toContain(
      "This linkup session has no associated tunnel / was started with --no-tunnel",
    );
    expect((await get(`api.${DOMAIN}`, "/x", { tracestate: `linkup-session=${cli.name}` })).status).toBe(200);
  });

  test("gets a fresh name instead of a conflict", async () => {
    const first = await started();
    const second = new OriginalCli(config());
    second.name = first.name;
    expect(await second.startAsVersion1(true)).not.toBe(first.name);
  });

  test.each([
    ["2.0.9", 401],
    ["nonsense", 401],
    ["2.1.0", 200],
    ["2.0.0-rc.1", 200],
    ["10.0.0", 200],
  ])("of version %s: %i", async (version, status) => {
    const cli = new OriginalCli(config());
    cli.version = version;
    if (status === 200) await cli.startAsVersion1(true);
    else await expect(cli.startAsVersion1(true)).rejects.toMatchObject({ status });
  });

  test("has previews of six characters", async () => {
    const name = await new OriginalCli(config()).previewAsVersion1({ web: at("local web") });
    expect(name).toHaveLength(6);
    expect((await get(`${name}.${DOMAIN}`)).asked().service).toBe("local web");
  });
});
