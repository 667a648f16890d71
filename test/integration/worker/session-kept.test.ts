/** The session and the bytes survive what services, frameworks and browsers do; on the user's machine and deployed. */

import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import http from "node:http";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { Internet } from "./internet.ts";
import { type Api, apiOf, type StartedService, send, startService, startWorker } from "./world.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

describe.each(["direct", "cloudflare"] as const)("with tunnels: %s", (mode) => {
  let internet: Internet;
  let service: StartedService;
  let worker: Awaited<ReturnType<typeof startWorker>>;
  let api: Api;
  /** What the service does with requests to a path. */
  const handlers = new Map<string, Handler>();
  const serve: Handler = (request, response) => {
    const handler = handlers.get(new URL(request.url ?? "", "http://x").pathname);
    if (handler) handler(request, response);
    else response.end(JSON.stringify({ headers: request.headers }));
  };

  const HOST = "slim-gecko.a.test";

  beforeAll(async () => {
    internet = await new Internet().start();
    internet.hosts.set("web.example.org", serve);
    service = await startService("web", serve);
    worker = mode === "direct" ? await startWorker() : await internet.startWorker();
    api = apiOf(worker.url);
    await preview("slim-gecko");
    await preview("one-domain", { domains: [domain("c.test")] });
    await preview("no-cookie", { session_cookie: false });
  });
  afterAll(async () => {
    await worker.stop();
    await Promise.all([service.stop(), internet.stop()]);
  });

  const domain = (name: string) => ({ domain: name, default_service: "web" });
  const preview = async (name: string, more: object = {}) => {
    const answer = await api("POST", "/linkup/v2/sessions/preview", {
      services: [{ name: "web", location: mode === "direct" ? service.url : "http://web.example.org" }],
      domains: [domain("a.test"), domain("b.test")],
      desired_name: name,
      session_token: "t",
      ...more,
    });
    expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
  };
  const ask = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    send(worker.url, path, { method, headers: { host: HOST, ...headers } });
  const seen = async (headers: Record<string, string>) => {
    const answer = await ask("/seen", headers);
    return answer.status === 200 ? JSON.parse(answer.body).headers : answer.headers["linkup-error"];
  };
  const answerWith = (headers: http.OutgoingHttpHeaders, status = 200): Handler => {
    return (_, response) => response.writeHead(status, headers).end("body");
  };

  test("a conditional request is answered with 304 and no byte", async () => {
    let asked: http.IncomingHttpHeaders = {};
    handlers.set("/asset", (request, response) => {
      asked = request.headers;
      // As Express does: `no-cache` of the request means that its copy must not be used.
      const isFresh =
        request.headers["if-none-match"] === '"v1"' &&
        !/no-cache/.test(request.headers["cache-control"] ?? "");
      response.writeHead(isFresh ? 304 : 200, { etag: '"v1"' }).end(isFresh ? "" : "x".repeat(10_000));
    });
    const first = await ask("/asset");
    expect([first.status, first.body.length]).toEqual([200, 10_000]);
    const second = await ask("/asset", { "if-none-match": '"v1"' });
    expect([second.status, second.body.length]).toEqual([304, 0]);
    expect(asked).not.toHaveProperty("cache-control");
    expect(asked).not.toHaveProperty("pragma");
  });

  test("a service's own headers: Vary once, X-Robots-Tag as it is", async () => {
    handlers.set("/own", answerWith({ vary: "Origin", "x-robots-tag": "noarchive" }));
    const answer = await ask("/own", { origin: "http://slim-gecko.a.test" });
    expect(answer.rawHeaders.filter((_, i) => answer.rawHeaders[i - 1]?.toLowerCase() === "vary")).toEqual([
      "Origin",
    ]);
    expect(answer.headers["x-robots-tag"]).toBe("noarchive");
    expect((await ask("/seen")).headers["x-robots-tag"]).toBe("noindex");
  });

  test("what a service forbids to caches and compressing proxies stays forbidden", async () => {
    handlers.set("/stream", answerWith({ "cache-control": "no-cache, no-transform" }));
    expect((await ask("/stream")).headers["cache-control"]).toBe("no-cache, no-transform");
    handlers.set("/account", answerWith({ "cache-control": "private, no-store, max-age=0" }));
    expect((await ask("/account")).headers["cache-control"]).toBe("no-cache, private, no-store");
  });

  test("redirects in two equal lines, and those of Refresh", async () => {
    handlers.set("/twice", (_, response) =>
      response.writeHead(302, ["location", "/in?a,b", "location", "/in?a,b"]).end(),
    );
    expect((await ask("/twice")).headers.location).toBe("/in?a,b");
    handlers.set("/refresh", answerWith({ refresh: `2; url=http://${HOST}/login` }));
    const host = `${HOST}:8787`;
    expect((await ask("/refresh", { host })).headers.refresh).toBe(`2; url=http://${host}/login`);
  });

  test("/linkup/dashboard on a session's host is the service's, with its own token", async () => {
    handlers.set("/linkup/dashboard", (request, response) => response.end(request.headers.authorization));
    expect(await ask("/linkup/dashboard")).toMatchObject({ status: 200, body: "" });
    const own = await ask("/linkup/dashboard", { authorization: "Bearer of-the-service" });
    expect(own.body).toBe("Bearer of-the-service");
    expect((await ask("/linkup/check")).status).toBe(401);
  });

  test("gRPC: messages arrive, trailers do not, for no Worker can send them; its own errors are gRPC's", async () => {
    const message = Buffer.concat([Buffer.from([0, 0, 0, 0, 2]), Buffer.from("ok")]);
    handlers.set("/shop.Echo/Unary", (_, response) => {
      response.writeHead(200, { "content-type": "application/grpc", trailer: "grpc-status" });
      response.write(message);
      response.addTrailers({ "grpc-status": "0" });
      response.end();
    });
    const grpc = { "content-type": "application/grpc", te: "trailers" };
    const call = (host: string) =>
      new Promise<{ body: Buffer; message: IncomingMessage }>((resolve, reject) => {
        const sent = http.request(new URL("/shop.Echo/Unary", worker.url), {
          method: "POST",
          headers: { ...grpc, host },
        });
        sent.on("error", reject).on("response", async (message) => {
          const chunks: Buffer[] = [];
          for await (const chunk of message) chunks.push(chunk);
          resolve({ body: Buffer.concat(chunks), message });
        });
        sent.end(message);
      });
    const answer = await call(HOST);
    expect(answer.body).toEqual(message);
    expect(answer.message.trailers).toEqual({});
    const refused = await call("nobody.a.test");
    expect(refused.message.statusCode).toBe(200);
    expect(refused.message.headers).toMatchObject({ "grpc-status": "2", "linkup-error": "unknown-session" });
  });

  describe("CORS", () => {
    const page = "http://slim-gecko.a.test";
    const cors = async (
      headers: http.OutgoingHttpHeaders,
      method = "GET",
      more: Record<string, string> = {},
    ) => {
      handlers.set("/cors", answerWith(headers, method === "OPTIONS" ? 400 : 200));
      const answer = await ask("/cors", { host: "b.test", origin: page, ...more }, method);
      const lines = (name: string) =>
        answer.rawHeaders.filter((_, i) => i % 2 === 1 && answer.rawHeaders[i - 1]!.toLowerCase() === name);
      return { answer, lines };
    };

    test("each Allow-* once, when the service sends some without an origin", async () => {
      const { lines } = await cors({ "access-control-allow-credentials": "true", "x-total": "7" });
      expect(lines("access-control-allow-credentials")).toEqual(["true"]);
      expect(lines("access-control-allow-origin")).toEqual([page]);
      expect(lines("access-control-expose-headers").join()).toContain("x-total");
    });

    test("a preflight that the service refuses", async () => {
      const { answer, lines } = await cors({ "access-control-allow-methods": "GET" }, "OPTIONS", {
        "access-control-request-method": "PUT",
      });
      expect(answer.status).toBe(204);
      expect(lines("access-control-allow-methods")).toEqual(["PUT"]);
    });

    test("a fixed origin of the page's domain without the session becomes the page's", async () => {
      const { lines } = await cors({
        "access-control-allow-origin": "http://a.test",
        "access-control-allow-credentials": "true",
      });
      expect(lines("access-control-allow-origin")).toEqual([page]);
      expect(lines("access-control-allow-credentials")).toEqual(["true"]);
    });
  });

  describe("Referrer-Policy", () => {
    test.each(["no-referrer", "same-origin"])(
      "%s is loosened in a session of several domains",
      async (policy) => {
        handlers.set("/page", answerWith({ "referrer-policy": policy }));
        expect((await ask("/page")).headers["referrer-policy"]).toBe("strict-origin-when-cross-origin");
        const single = await ask("/page", { host: "one-domain.c.test" });
        expect(single.headers["referrer-policy"]).toBe(policy);
      },
    );
  });

  describe("the session cookie", () => {
    const PAGE = { accept: "text/html" };

    test("is set on a page for the registrable domain, once, and not on what a page loads", async () => {
      const first = await ask("/seen", { ...PAGE, "x-forwarded-proto": "https" });
      expect(first.headers["set-cookie"]).toEqual([
        "linkup-session=slim-gecko; Domain=a.test; Path=/; SameSite=Lax; HttpOnly; Secure",
      ]);
      const again = await ask("/seen", { ...PAGE, cookie: "linkup-session=slim-gecko" });
      expect(again.headers).not.toHaveProperty("set-cookie");
      expect((await ask("/seen", { accept: "image/png" })).headers).not.toHaveProperty("set-cookie");
    });

    test("leads a request that nothing else identifies, and is never forwarded", async () => {
      const headers = await seen({ host: "a.test", cookie: "a=1; linkup-session=slim-gecko; b=2" });
      expect(headers).toMatchObject({ cookie: "a=1; b=2", "x-forwarded-host": HOST });
      expect(await seen({ cookie: "linkup-session=slim-gecko" })).not.toHaveProperty("cookie");
    });

    test("is the very last source, and leads to the session's own domains only", async () => {
      const tracestate = "linkup-session=no-cookie";
      const headers = await seen({ host: "a.test", tracestate, cookie: "linkup-session=slim-gecko" });
      expect(headers["x-forwarded-host"]).toBe("no-cookie.a.test");
      expect(await seen({ host: "c.test", cookie: "linkup-session=slim-gecko" })).toBe("unknown-session");
      expect(await seen({ host: "ended.a.test", cookie: "linkup-session=slim-gecko" })).toBe(
        "unknown-session",
      );
    });

    test("can be turned off", async () => {
      const answer = await ask("/seen", { host: "no-cookie.a.test", ...PAGE });
      expect(answer.headers).not.toHaveProperty("set-cookie");
      expect(await seen({ host: "a.test", cookie: "linkup-session=no-cookie" })).toBe("unknown-session");
    });
  });

  test("domains are found as requests name them, however they were written", async () => {
    await preview("spelled", { domains: [domain("Bücher.TEST.")] });
    expect(await seen({ host: "spelled.xn--bcher-kva.test" })).toMatchObject({
      "x-forwarded-host": "spelled.xn--bcher-kva.test",
    });
    const answer = await api("POST", "/linkup/v2/sessions/preview", {
      services: [{ name: "web", location: service.url }],
      domains: [domain("https://a.test:8443/")],
      desired_name: "spelled",
      session_token: "t",
    });
    expect([answer.status, String(answer.body)]).toEqual([
      400,
      expect.stringContaining("must be a host name"),
    ]);
  });

  test("cookies of the service's own host become the session's, and the others stay", async () => {
    const own = mode === "direct" ? new URL(service.url).hostname : "example.org";
    const cookies = [`a=1; Domain=${own}; Path=/`, "b=2; Domain=a.test", "c=3; Domain=else.test"];
    handlers.set("/cookies", (_, response) => response.writeHead(200, { "set-cookie": cookies }).end());
    const { headers } = await ask("/cookies");
    expect(headers["set-cookie"]).toEqual(["a=1; Path=/", ...cookies.slice(1)]);
  });

  test("services learn the client's port, and a redirect that lost it gets it back", async () => {
    const host = `${HOST}:8443`;
    expect(await seen({ host })).toMatchObject({
      "x-forwarded-host": HOST,
      "x-forwarded-port": "8443",
      "x-forwarded-proto": "http",
      forwarded: expect.stringContaining(`host="${host}";proto=http`),
    });
    handlers.set("/redirect", answerWith({ location: `http://${HOST}/login?a=b` }, 302));
    expect((await ask("/redirect", { host })).headers.location).toBe(`http://${host}/login?a=b`);
    expect((await ask("/redirect")).headers.location).toBe(`http://${HOST}/login?a=b`);
  });

  test("a client that disconnects aborts the request at the service", async () => {
    let waiting = 0;
    handlers.set("/hang", (_, response) => {
      waiting++;
      response.on("close", () => waiting--);
    });
    const { hostname, port } = new URL(worker.url);
    const request = http.request({ hostname, port, path: "/hang", headers: { host: HOST }, agent: false });
    request.on("error", () => {}).end();
    await once(request, "socket");
    await expect.poll(() => waiting).toBe(1);
    request.socket!.resetAndDestroy();
    await expect.poll(() => waiting).toBe(0);
  });

  test("a client that closes in the middle of an endless response closes it at the service, too", async () => {
    let open = 0;
    handlers.set("/endless", (_, response) => {
      open++;
      const timer = setInterval(() => response.write("x".repeat(1_000)), 20);
      response.on("close", () => {
        clearInterval(timer);
        open--;
      });
    });
    const request = http.request(new URL("/endless", worker.url), { headers: { host: HOST }, agent: false });
    request.on("error", () => {}).end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    await once(response, "data");
    expect(open).toBe(1);
    request.destroy();
    await expect.poll(() => open).toBe(0);
  });

  test("a WebSocket whose client goes without a word closes at the service", async () => {
    const sockets = new WebSocketServer({ noServer: true });
    let closed = 0;
    const upgrade = (message: IncomingMessage, socket: Duplex, head: Buffer) =>
      sockets.handleUpgrade(message, socket, head, (client) => client.on("close", () => closed++));
    const server = mode === "direct" ? service.server : internet.server;
    server.on("upgrade", upgrade);
    const socket = new WebSocket(`${worker.url.replace("http", "ws")}/live`, { headers: { host: HOST } });
    await once(socket, "open");
    socket.terminate();
    await expect.poll(() => closed).toBe(1);
    server.off("upgrade", upgrade);
    sockets.close();
  });

  test.runIf(mode === "cloudflare")("a service's own status 530 is no tunnel that is down", async () => {
    const created = await api("POST", "/linkup/v2/sessions/tunneled", {
      services: [{ name: "web", location: "http://localhost:3000" }],
      domains: [domain("a.test")],
      desired_name: "laptop",
      session_token: "t",
    });
    const { url } = created.json().tunnel_data as { url: string };
    const through = async (handler: Handler) => {
      internet.hosts.set(new URL(url).host, handler);
      return ask("/", { host: "laptop.a.test" });
    };
    const own = await through((_, response) => response.writeHead(530).end("site is frozen"));
    expect([own.status, own.body]).toEqual([530, "site is frozen"]);
    const marked = await through((_, response) =>
      response.writeHead(530, { "linkup-answered": "service" }).end("error code: 1033"),
    );
    expect([marked.status, marked.body]).toEqual([530, "error code: 1033"]);
    expect(marked.headers).not.toHaveProperty("linkup-answered");
    for (const body of ["error code: 1033", "<h1><span>Error</span> <span>1033</span></h1>"]) {
      const edge = await through((_, response) => response.writeHead(530).end(body));
      expect([edge.status, edge.headers["linkup-error"]]).toEqual([502, "tunnel-down"]);
    }
  });
});
