/** The Worker, the tunnel and the local server in a row: what each of them does is done once. */
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, startLocalServer } from "../local-server/harness.ts";
import { Internet } from "./internet.ts";
import {
  apiOf,
  type ReceivedResponse,
  type StartedService,
  send,
  startService,
  startWorker,
} from "./world.ts";

const HOST = "slim-gecko.a.test";
const PAGE = `http://${HOST}`;

describe.each(["direct", "cloudflare"] as const)("with tunnels: %s", (mode) => {
  let internet: Internet;
  let service: StartedService;
  let local: RunningServer;
  let worker: Awaited<ReturnType<typeof startWorker>>;
  let handler: (request: IncomingMessage, response: ServerResponse) => void;

  beforeAll(async () => {
    internet = await new Internet().start();
    service = await startService("web", (request, response) => handler(request, response));
    local = await startLocalServer();
    await local.control("PUT", "/v1/leases/test", { ttl_ms: null });
    worker = mode === "direct" ? await startWorker() : await internet.startWorker();
    const tunnel = `http://127.0.0.1:${local.status.tunnel_port}`;
    const session = {
      services: [{ name: "web", location: service.url.replace("127.0.0.1", "localhost") }],
      domains: [
        { domain: "a.test", default_service: "web" },
        { domain: "b.test", default_service: "web" },
      ],
      session_token: "t",
    };
    const created = await apiOf(worker.url)("POST", "/linkup/v2/sessions/tunneled", {
      ...session,
      desired_name: "slim-gecko",
      ...(mode === "direct" ? { tunnel_url: tunnel } : {}),
    });
    expect(created.status).toBe(200);
    const { tunnel_data, origin_secret } = created.json() as {
      tunnel_data: { url: string };
      origin_secret: string;
    };
    // What cloudflared does with a request.
    internet.hosts.set(new URL(tunnel_data.url).host, (request, response) => {
      const { method, url, rawHeaders } = request;
      const headers = rawHeaders as unknown as Record<string, string>;
      const passed = http.request(new URL(url ?? "/", tunnel), { method, headers, agent: false });
      passed.on("response", (answer) => {
        response.writeHead(answer.statusCode!, answer.rawHeaders);
        answer.pipe(response);
      });
      passed.on("error", () => response.destroy());
      response.on("close", () => passed.destroy());
      request.pipe(passed);
    });
    const served = await local.control("PUT", "/v1/sessions/slim-gecko", {
      session,
      origin_secret,
      config_path: null,
    });
    expect(served.status).toBe(200);
  });
  afterAll(async () => {
    await worker.stop();
    await local[Symbol.asyncDispose]();
    await Promise.all([service.stop(), internet.stop()]);
  });

  const answering = (headers: http.OutgoingHttpHeaders, status = 200, body = "body") => {
    handler = (_, response) => response.writeHead(status, headers).end(body);
  };
  const ask = (headers: Record<string, string> = {}, method = "GET") =>
    send(worker.url, "/path", { method, headers: { host: HOST, ...headers } });
  const lines = ({ rawHeaders }: ReceivedResponse, name: string) =>
    rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name);
  const fromPage = { host: "b.test", origin: PAGE };

  test("each Allow-* once, for a service that sends some, none, or a fixed origin", async () => {
    for (const own of [
      { "access-control-allow-credentials": "true" },
      {},
      { "access-control-allow-origin": "http://a.test", "access-control-allow-credentials": "true" },
    ]) {
      answering({ ...own, "x-total": "7" });
      const answer = await ask(fromPage);
      expect(lines(answer, "access-control-allow-origin")).toEqual([PAGE]);
      expect(lines(answer, "access-control-allow-credentials")).toEqual(["true"]);
    }
    answering({ "access-control-allow-origin": "http://elsewhere.test" });
    expect(lines(await ask(fromPage), "access-control-allow-origin")).toEqual(["http://elsewhere.test"]);
  });

  test("a preflight that the service does not know", async () => {
    answering({}, 405);
    const answer = await ask({ ...fromPage, "access-control-request-method": "PUT" }, "OPTIONS");
    expect(answer.status).toBe(204);
    expect(lines(answer, "access-control-allow-methods")).toEqual(["PUT"]);
    expect(lines(answer, "access-control-allow-origin")).toEqual([PAGE]);
  });

  test("the service knows the client's address, with its port; a redirect made of it comes back", async () => {
    let seen: http.IncomingHttpHeaders = {};
    handler = (request, response) => {
      seen = request.headers;
      response.writeHead(302, { location: `http://${seen["x-forwarded-host"]}/next` }).end();
    };
    const host = `${HOST}:8787`;
    const answer = await ask({ host });
    expect(seen).toMatchObject({
      "x-forwarded-host": HOST,
      "x-forwarded-port": "8787",
      "x-forwarded-proto": "http",
      forwarded: expect.stringContaining(`host="${host}"`),
    });
    expect(answer.headers.location).toBe(`http://${host}/next`);
  });

  test("a service's own 530, also with the words of Cloudflare's, is the service's", async () => {
    answering({}, 530, "error code: 1033");
    const answer = await ask();
    expect([answer.status, answer.body]).toEqual([530, "error code: 1033"]);
    expect(answer.headers).not.toHaveProperty("linkup-answered");
  });

  test("a conditional request is answered with 304 and no byte", async () => {
    handler = (request, response) => {
      const fresh = request.headers["if-none-match"] === '"v1"' && !request.headers["cache-control"];
      response.writeHead(fresh ? 304 : 200, { etag: '"v1"' }).end(fresh ? "" : "long");
    };
    const answer = await ask({ "if-none-match": '"v1"' });
    expect([answer.status, answer.body]).toEqual([304, ""]);
  });

  test("a client that goes in the middle of a response ends it at the service", async () => {
    let open = 0;
    handler = (_, response) => {
      open++;
      const timer = setInterval(() => response.write("x".repeat(1_000)), 20);
      response.on("close", () => {
        clearInterval(timer);
        open--;
      });
    };
    const request = http.request(new URL("/", worker.url), { headers: { host: HOST }, agent: false });
    request.on("error", () => {}).end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    await once(response, "data");
    expect(open).toBe(1);
    request.destroy();
    await expect.poll(() => open).toBe(0);
  });

  test("an override's requests reach the owner's machine, which alone knows the response", async () => {
    const deployed = await startService("deployed", (_, response) => response.end("deployed"));
    internet.hosts.set("web.deployed.test", (_, response) => response.end("deployed"));
    const session = {
      services: [
        { name: "web", location: mode === "direct" ? deployed.url : "http://web.deployed.test" },
        { name: "api", location: "http://localhost:9" },
      ],
      domains: [{ domain: "c.test", default_service: "web" }],
      session_token: "t",
    };
    const down = { name: "down", path: "^/path$", methods: ["GET"] };
    const created = await apiOf(worker.url)("POST", "/linkup/v2/sessions/tunneled", {
      ...session,
      desired_name: "bold-cat",
      overrides: [{ ...down, location: "http://localhost/" }],
      ...(mode === "direct" ? { tunnel_url: `http://127.0.0.1:${local.status.tunnel_port}` } : {}),
    });
    expect(created.status).toBe(200);
    const { tunnel_data, origin_secret } = created.json() as {
      tunnel_data: { url: string };
      origin_secret: string;
    };
    internet.hosts.set(
      new URL(tunnel_data.url).host,
      internet.hosts.get([...internet.hosts.keys()].find((host) => host.includes("slim-gecko")) ?? "")!,
    );
    const served = await local.control("PUT", "/v1/sessions/bold-cat", {
      session: { ...session, overrides: [{ ...down, does: "respond" }] },
      override_actions: { down: { respond: { status: 503, body: "mocked" } } },
      origin_secret,
      config_path: null,
    });
    expect(served.status).toBe(200);
    const get = (path: string, method = "GET") =>
      send(worker.url, path, { method, headers: { host: "bold-cat.c.test", "linkup-override": "down" } });
    const mocked = await get("/path");
    expect([mocked.status, String(mocked.body)]).toEqual([503, "mocked"]);
    expect(lines(mocked, "linkup-override")).toEqual(["down"]);
    for (const passed of [await get("/path", "POST"), await get("/path/more")]) {
      expect([passed.status, String(passed.body)]).toEqual([200, "deployed"]);
      expect(lines(passed, "linkup-override")).toEqual([]);
    }
    await deployed.stop();
  });

  describe("a private session", () => {
    const owner = { "linkup-session-token": "t" };
    const path = "/linkup/v2/sessions/slim-gecko";
    let api: ReturnType<typeof apiOf>;
    beforeAll(async () => {
      api = apiOf(worker.url);
      const change = { access: "private", open: ["^/path/open$"] };
      expect((await api("PUT", `${path}/access`, change, owner)).status).toBe(200);
    });
    afterAll(() => api("PUT", `${path}/access`, { access: "public" }, owner));

    const seenBy = async (headers: Record<string, string>) => {
      const seen: [string, http.IncomingHttpHeaders][] = [];
      handler = (request, response) => {
        seen.push([`${request.method} ${request.url}`, request.headers]);
        response.end("body");
      };
      return { status: (await ask(headers)).status, seen };
    };

    test("the second hop serves what the first one allowed, and the proof is not forwarded", async () => {
      expect(await seenBy({})).toEqual({ status: 401, seen: [] });
      const { token, id } = (await api("POST", `${path}/invites`, { kind: "token" }, owner)).json();
      const { status, seen } = await seenBy({ "linkup-access": String(token), cookie: "theme=dark" });
      expect([status, seen.length]).toEqual([200, 1]);
      const [line, headers] = seen[0]!;
      expect([line, headers["x-forwarded-host"], headers.cookie]).toEqual(["GET /path", HOST, "theme=dark"]);
      expect(headers).not.toHaveProperty("linkup-access");
      expect(JSON.stringify(headers)).not.toContain(token);
      // Each once: the second hop adds none of its own.
      for (const list of [headers.tracestate, headers.baggage])
        expect(String(list).match(/linkup-access=[a-z0-9]+/g)).toEqual([`linkup-access=${id}`]);
    });

    test("the second hop refuses requests that bypass the first", async () => {
      const { token } = (await api("POST", `${path}/invites`, { kind: "token" }, owner)).json();
      answering({});
      const tunnel = `http://127.0.0.1:${local.status.tunnel_port}`;
      const around = { host: HOST, "linkup-access": String(token) };
      for (const url of ["/path", "/path/open"])
        expect((await send(tunnel, url, { headers: around })).status).toBe(403);
    });

    test("a network counts only where the address is Cloudflare's word", async () => {
      const made = (await api("POST", `${path}/invites`, {}, owner)).json();
      const address = { "cf-connecting-ip": "192.0.2.7", "x-forwarded-for": "192.0.2.7" };
      const secure = { ...address, "x-forwarded-proto": "https" };
      const form = { "content-type": "application/x-www-form-urlencoded" };
      const joined = await send(worker.url, "/linkup/join", {
        method: "POST",
        headers: { host: HOST, ...secure, ...form },
        body: `token=${new URL(String(made.url)).hash.slice(1)}`,
      });
      const cookie = joined.headers["set-cookie"]![0]!.split(";", 1)[0]!;
      answering({});
      expect((await ask({ ...secure, cookie })).status).toBe(200);
      const ofPage = { ...secure, origin: `https://${HOST}`, host: "b.test" };
      expect((await ask(ofPage)).status).toBe(mode === "direct" ? 401 : 200);
      expect((await ask({ ...ofPage, "cf-connecting-ip": "198.51.100.7" })).status).toBe(401);
    });
  });
});
