/** What the contract of a session adds to requests and answers. */

import { createServer, type Server } from "node:http";
import { createServer as createHttps } from "node:https";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createAuthority, issueLeaf } from "../../../core/certificates/certificate-authority.ts";
import { reservedPort } from "../../support/ports.ts";
import { connectHttp1, type TestClient } from "./clients.ts";
import { APP, type ProxiedRequest, putSession, SESSION, type System, startSystem, WILD } from "./system.ts";

let system: System;
let client: TestClient;
beforeAll(async () => {
  system = await startSystem();
  client = connectHttp1(system);
});
afterEach(() => {
  system.app.handler = undefined;
});
afterAll(() => system.stop());

const seenWith = async (headers: string[], host = APP, path = "/"): Promise<ProxiedRequest["headers"]> => {
  const { body } = await client.request({ host, path, headers });
  return (JSON.parse(body.toString()) as ProxiedRequest).headers;
};

describe("on the way to the service", () => {
  test("session, service and public host are told", async () => {
    const headers = await seenWith([]);
    expect(headers).toMatchObject({
      host: `localhost:${system.app.port}`,
      tracestate: "linkup-session=slim-gecko",
      "linkup-destination": "app",
      "x-forwarded-host": APP,
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
    });
  });

  const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  test.each([
    ["two lines", ["Traceparent", TRACEPARENT, "Traceparent", TRACEPARENT.replace("00-0", "00-1")]],
    ["two members", ["Traceparent", `${TRACEPARENT}, ${TRACEPARENT.replace("00-0", "00-1")}`]],
    ["zeros", ["Traceparent", `00-${"0".repeat(32)}-b7ad6b7169203331-01`]],
    ["undefined", ["Traceparent", "undefined"]],
  ])("an invalid traceparent is replaced: %s", async (_, sent) => {
    const headers = await seenWith(sent);
    expect(headers.traceparent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/);
    expect(headers.tracestate).toBe("linkup-session=slim-gecko");
  });

  test("illegal and repeated members of tracestate go, and baggage names the session", async () => {
    const illegal = await seenWith(["Traceparent", TRACEPARENT, "Tracestate", "vendor=1,Not A Key=2"]);
    expect(illegal).toMatchObject({
      traceparent: TRACEPARENT,
      tracestate: "linkup-session=slim-gecko,vendor=1",
    });
    expect(await seenWith(["Tracestate", "a=1,b=2,a=3", "Baggage", "user=1;p"])).toMatchObject({
      tracestate: "linkup-session=slim-gecko,a=1,b=2",
      baggage: "linkup-session=slim-gecko,user=1;p",
    });
  });

  test.each([
    [["view=sort=price,dir=up; id=7"], "view=sort=price,dir=up; id=7"],
    [['basket=[{"n":1,"q":"x=y"}]'], 'basket=[{"n":1,"q":"x=y"}]'],
    [["a=1", "b=2"], "a=1; b=2"],
    [["a=1, b=2"], "a=1; b=2"],
  ])("the Cookie lines %j arrive as one", async (sent, expected) => {
    const headers = await seenWith(sent.flatMap((value) => ["Cookie", value]));
    expect(headers.cookie).toBe(expected);
  });

  test("what an earlier hop said stands", async () => {
    const before = [
      "Traceparent",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "Tracestate",
      "linkup-session=slim-gecko,vendor=1",
      "X-Forwarded-Host",
      "slim-gecko.wild.example.com",
    ];
    const headers = await seenWith(before);
    expect(headers).toMatchObject({
      traceparent: before[1],
      tracestate: before[3],
      "x-forwarded-host": before[5],
    });
  });

  test("members of tracestate that are not ours stay", async () => {
    const { tracestate } = await seenWith(["Tracestate", "vendor=1", "Tracestate", "other=2"]);
    expect(tracestate).toBe("linkup-session=slim-gecko,vendor=1,other=2");
  });

  test("a page of the session is of one origin with the service", async () => {
    const { origin, referer } = await seenWith([
      "Origin",
      `https://${APP}`,
      "Referer",
      `https://${APP}/page`,
    ]);
    expect(origin).toBe(`http://localhost:${system.app.port}`);
    expect(referer).toBe(`http://localhost:${system.app.port}/page`);
    const foreign = await seenWith(["Referer", "https://elsewhere.test/page"]);
    expect(foreign.referer).toBe("https://elsewhere.test/page");
    expect((await seenWith(["Origin", "https://elsewhere.test"])).origin).toBe("https://elsewhere.test");
    expect((await seenWith(["Origin", "null"])).origin).toBe("null");
  });

  test.each([
    ["a page of the session, by its Origin", ["Origin", `https://${WILD}`], "cross-site", "same-origin"],
    [
      "a page of the session, by its Referer",
      ["Referer", `https://${WILD}/page`],
      "same-site",
      "same-origin",
    ],
    ["a page elsewhere", ["Origin", "https://elsewhere.test"], "cross-site", "cross-site"],
    [
      "a page elsewhere with a Referer of the session",
      ["Origin", "https://elsewhere.test", "Referer", `https://${WILD}/page`],
      "cross-site",
      "cross-site",
    ],
    ["no page", ["Referer", `https://${WILD}/page`], "none", "none"],
  ])("Sec-Fetch-Site of %s", async (_, headers, sent, expected) => {
    expect((await seenWith([...headers, "Sec-Fetch-Site", sent]))["sec-fetch-site"]).toBe(expected);
  });

  test.each([
    [[], APP],
    [["X-Forwarded-Host", `${APP}:8443, proxy.test`], `${APP}:8443`],
  ])("a Server Action of Next.js comes from the forwarded host: %j", async (forwarded, host) => {
    const action = ["Next-Action", "0a1b", "Origin", `https://${APP}:${system.port}`, ...forwarded];
    expect((await seenWith(action)).origin).toBe(`https://${host}`);
    expect((await seenWith(["Next-Action", "0a1b", "Origin", "https://elsewhere.test"])).origin).toBe(
      "https://elsewhere.test",
    );
  });

  test("the URL that the client used can be built from the forwarded headers", async () => {
    const { headers } = JSON.parse(
      (await client.request({ host: `${APP}:8123` })).body.toString(),
    ) as ProxiedRequest;
    expect(headers).toMatchObject({
      "x-forwarded-host": APP,
      "x-forwarded-port": "8123",
      "x-forwarded-proto": "http",
      forwarded: `host="${APP}:8123";proto=http`,
    });
  });

  test.each([
    [["view=sort=price,dir=up; id=7"], "view=sort=price,dir=up; id=7"],
    [['basket=[{"n":1,"q":"x=y"}]'], 'basket=[{"n":1,"q":"x=y"}]'],
    [["a=1", "b=2"], "a=1; b=2"],
    [["a=1, b=2"], "a=1; b=2"],
    [["linkup-session=slim-gecko; a=1"], "a=1"],
    [["linkup-session=slim-gecko"], undefined],
  ])("cookies %j arrive as %j", async (lines, cookie) => {
    expect((await seenWith(lines.flatMap((line) => ["Cookie", line]))).cookie).toBe(cookie);
  });

  test("preserve_host keeps host and origin", async () => {
    await putSession(system, { services: { preserve_host: true } });
    const { host, origin } = await seenWith(["Origin", `https://${APP}`]);
    const forwarded = await seenWith(["X-Forwarded-Host", APP], "localhost");
    await putSession(system);
    expect({ host, origin }).toEqual({ host: APP, origin: `https://${APP}` });
    expect(forwarded.host).toBe(APP);
  });

  test("rewrites apply to the path, the query stays", async () => {
    await putSession(system, { services: { rewrites: [{ source: "^/foo/(.*)", target: "/bar/$1" }] } });
    const { body } = await client.request({ host: APP, path: "/foo/b//c?x=/foo/" });
    await putSession(system);
    expect((JSON.parse(body.toString()) as ProxiedRequest).url).toBe("/bar/b//c?x=/foo/");
  });

  test("a changed session counts from the next request on, on the same connection", async () => {
    expect((await seenWith([])).host).toBe(`localhost:${system.app.port}`);
    system.wild.script = (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwild");
    await putSession(system, { services: { location: `http://localhost:${system.wild.port}` } });
    const { body } = await client.request({ host: APP });
    await putSession(system);
    expect(body.toString()).toBe("wild");
  });
});

describe("on the way back", () => {
  const page = ["Origin", `https://${WILD}`];

  test("a page of the session may read an answer whose service knows nothing of CORS", async () => {
    const { get, all } = await client.request({ host: APP, headers: page });
    expect(get("access-control-allow-origin")).toBe(`https://${WILD}`);
    expect(get("access-control-allow-credentials")).toBe("true");
    expect(all("vary")).toContain("Origin");
  });

  test("it may read a failure too", async () => {
    system.wild.script = (socket) => socket.end();
    const { status, get } = await client.request({ host: WILD, headers: page });
    expect(status).toBe(502);
    expect(get("access-control-allow-origin")).toBe(`https://${WILD}`);
  });

  test("any other page may not", async () => {
    const { get } = await client.request({ host: APP, headers: ["Origin", "https://elsewhere.test"] });
    expect(get("access-control-allow-origin")).toBeUndefined();
  });

  test("a service's own CORS headers stand", async () => {
    system.app.handler = (_request, response) => {
      response.setHeader("Access-Control-Allow-Origin", "https://only.test");
      response.end();
    };
    const { all, get } = await client.request({ host: APP, headers: page });
    expect(all("access-control-allow-origin")).toEqual(["https://only.test"]);
    expect(get("access-control-allow-credentials")).toBeUndefined();
  });

  test("a service that allows the page's development server allows the page", async () => {
    // As `cors({ origin: "http://localhost:3000", credentials: true })` of Express answers any origin.
    system.app.handler = (request, response) => {
      response.setHeader("Access-Control-Allow-Origin", "http://localhost:3000");
      response.setHeader("Access-Control-Allow-Credentials", "true");
      if (request.method === "OPTIONS") response.setHeader("Access-Control-Allow-Methods", "GET,PUT");
      response.writeHead(request.method === "OPTIONS" ? 204 : 200).end();
    };
    for (const method of ["GET", "OPTIONS"]) {
      const headers = [...page, ...(method === "OPTIONS" ? ["Access-Control-Request-Method", "PUT"] : [])];
      const { all, get } = await client.request({ host: APP, method, headers });
      expect(all("access-control-allow-origin")).toEqual([page[1]]);
      expect(get("access-control-allow-credentials")).toBe("true");
    }
    const { get } = await client.request({ host: APP, headers: ["Origin", "https://elsewhere.test"] });
    expect(get("access-control-allow-origin")).toBe("http://localhost:3000");
  });

  test("a service that allows the origin it sees allows the page", async () => {
    system.app.handler = (request, response) => {
      response.setHeader("Access-Control-Allow-Origin", String(request.headers.origin));
      response.end();
    };
    const { get } = await client.request({ host: APP, headers: page });
    expect(get("access-control-allow-origin")).toBe(`https://${WILD}`);
  });

  test("a grant for the service's own origin denies the page no credentials", async () => {
    // As Vite answers by itself, while its framework refuses the preflight (SvelteKit).
    system.app.handler = (request, response) => {
      response.setHeader("Access-Control-Allow-Origin", String(request.headers.origin));
      response.writeHead(request.method === "OPTIONS" ? 405 : 200).end();
    };
    const { all, get } = await client.request({ host: APP, headers: page });
    expect(all("access-control-allow-origin")).toEqual([page[1]]);
    expect(get("access-control-allow-credentials")).toBe("true");
    const preflight = await client.request({
      method: "OPTIONS",
      host: APP,
      headers: [...page, "Access-Control-Request-Method", "PUT"],
    });
    expect(preflight.status).toBe(204);
    expect(preflight.all("access-control-allow-origin")).toEqual([page[1]]);
    expect(preflight.get("access-control-allow-methods")).toBe("PUT");
  });

  const preflight = [
    ...page,
    "Access-Control-Request-Method",
    "PUT",
    "Access-Control-Request-Headers",
    "x-one, x-two",
  ];

  test("a preflight that the service does not understand is answered for it", async () => {
    system.app.handler = (_request, response) => response.writeHead(405).end("what is this?");
    const { status, get, body } = await client.request({ host: APP, method: "OPTIONS", headers: preflight });
    expect(status).toBe(204);
    expect(body).toHaveLength(0);
    expect(get("access-control-allow-methods")).toBe("PUT");
    expect(get("access-control-allow-headers")).toBe("x-one, x-two");
    // And the connection is fit for the next request.
    system.app.handler = undefined;
    expect((await client.request({ host: APP })).status).toBe(200);
  });

  test("each header of a grant stands once", async () => {
    system.app.handler = (_request, response) =>
      response
        .writeHead(200, { "access-control-allow-credentials": "true", vary: "Origin", "x-total": "7" })
        .end();
    const { get } = await client.request({ host: APP, headers: page });
    expect(get("access-control-allow-origin")).toBe(page[1]);
    expect(get("access-control-allow-credentials")).toBe("true");
    expect(get("vary")).toBe("Origin");
    expect(get("access-control-expose-headers")).toContain("x-total");
  });

  test("a grant that is fixed to the domain without the session is the page's", async () => {
    system.app.handler = (_request, response) =>
      response.writeHead(200, { "access-control-allow-origin": "https://wild.example.com" }).end();
    expect((await client.request({ host: APP, headers: page })).get("access-control-allow-origin")).toBe(
      page[1],
    );
  });

  test("a page's policy does not hide its session, and its visit sets the session's cookie", async () => {
    system.app.handler = (_request, response) =>
      response.writeHead(200, { "referrer-policy": "no-referrer" }).end();
    const visit = await client.request({ host: APP, headers: ["Accept", "text/html"] });
    expect(visit.get("referrer-policy")).toBe("strict-origin-when-cross-origin");
    expect(visit.get("set-cookie")).toMatch(/^linkup-session=slim-gecko; Domain=example\.com;.*SameSite=Lax/);
    const script = await client.request({ host: APP, headers: ["Accept", "*/*"] });
    expect(script.get("set-cookie")).toBeUndefined();
  });

  test("the session's cookie names it where nothing else does, on its domains only", async () => {
    const cookie = ["Cookie", `a=1; linkup-session=${SESSION}`];
    expect((await client.request({ host: "example.com", headers: cookie })).status).toBe(200);
    expect((await client.request({ host: "example.com" })).status).not.toBe(200);
    expect((await client.request({ host: "localhost", headers: cookie })).status).toBe(422);
  });

  test("a service's own X-Robots-Tag stays, and none is added", async () => {
    system.app.handler = (_request, response) => response.writeHead(200, { "x-robots-tag": "all" }).end();
    expect((await client.request({ host: APP })).get("x-robots-tag")).toBe("all");
    system.app.handler = (_request, response) => response.writeHead(200).end();
    expect((await client.request({ host: APP })).get("x-robots-tag")).toBeUndefined();
  });

  test("a preflight that the service answers is its own", async () => {
    system.app.handler = (_request, response) =>
      response.writeHead(200, { "access-control-allow-origin": "https://only.test" }).end();
    const { status, get } = await client.request({ host: APP, method: "OPTIONS", headers: preflight });
    expect(status).toBe(200);
    expect(get("access-control-allow-methods")).toBeUndefined();
  });

  test.each([
    ["http://HOST/login?next=%2F#top", "/login?next=%2F#top"],
    ["https://HOST/", "/"],
    ["http://HOST", "/"],
    ["http://HOST?a=b", "/?a=b"],
    ["http://HOST//evil.test/", "/.//evil.test/"],
    ["http://HOST.evil.test/", "http://HOST.evil.test/"],
    ["http://user@HOST/", "http://user@HOST/"],
    ["http://localhost:1/", "http://localhost:1/"],
    ["//HOST/", "/"],
    ["http://127.0.0.1:PORT/in", "/in"],
    ["http://[::1]:PORT/in", "/in"],
    ["//localhost:PORT/in", "/in"],
    ["http://localhost:4001/in", "http://localhost:4001/in"],
    ["login", "login"],
  ])("a redirect to the host that the service sees stays in the session: %s", async (location, mapped) => {
    const { port } = system.app;
    const own = (text: string) => text.replace("HOST", `localhost:${port}`).replace("PORT", String(port));
    system.app.handler = (_request, response) =>
      response.writeHead(302, { location: own(location), refresh: `0; url=${own(location)}` }).end();
    const { get } = await client.request({ host: APP });
    expect(get("location")).toBe(own(mapped));
    expect(get("refresh")).toBe(`0; url=${own(mapped)}`);
  });

  test("cookies of the service's own host become the session's, and the others stay", async () => {
    system.app.handler = (_request, response) =>
      response
        .writeHead(200, {
          "set-cookie": ["a=1; Domain=localhost; Path=/", "b=2; Domain=example.com", "c=3; Domain=else.test"],
        })
        .end();
    expect((await client.request({ host: APP })).all("set-cookie")).toEqual([
      "a=1; Path=/",
      "b=2; Domain=example.com",
      "c=3; Domain=else.test",
    ]);
  });

  test("with preserve_host a redirect is left as it is", async () => {
    await putSession(system, { services: { preserve_host: true } });
    const location = `http://localhost:${system.app.port}/`;
    system.app.handler = (_request, response) => response.writeHead(302, { location }).end();
    const { get } = await client.request({ host: APP });
    await putSession(system);
    expect(get("location")).toBe(location);
  });

  test("nothing is cached, but for the routes that say so", async () => {
    system.app.handler = (_request, response) =>
      response.writeHead(200, { "Cache-Control": "max-age=60" }).end();
    expect((await client.request({ host: APP })).all("cache-control")).toEqual(["no-cache"]);
    expect((await client.request({ host: APP, path: "/static/a.css" })).all("cache-control")).toEqual([
      "max-age=60",
    ]);
    // A stream that nobody may compress, and a page that nobody may store.
    system.app.handler = (_request, response) =>
      response.writeHead(200, { "Cache-Control": ["private, no-store", "no-transform"] }).end();
    expect((await client.request({ host: APP })).all("cache-control")).toEqual([
      "no-cache, private, no-store, no-transform",
    ]);
    system.app.handler = (_request, response) => response.end();
    expect((await client.request({ host: APP })).all("cache-control")).toEqual(["no-cache"]);
    expect((await client.request({ host: APP, path: "/static/a.css" })).all("cache-control")).toEqual([]);
  });

  test("nothing else is added", async () => {
    system.wild.script = (socket) => socket.end("HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 0\r\n\r\n");
    const { raw } = await client.request({ host: WILD });
    const names = raw.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
    expect(names.toSorted()).toEqual(["cache-control", "connection", "content-length", "x-a"]);
  });
});

describe("where services listen", () => {
  const opened: Server[] = [];
  afterAll(() => {
    for (const server of opened) server.close();
  });
  const listen = async (server: Server, address: string): Promise<number> => {
    opened.push(server);
    const port = await reservedPort();
    await new Promise<void>((resolve) => server.listen(port, address, () => resolve()));
    return port;
  };
  const reached = async (location: string): Promise<string> => {
    await putSession(system, { services: { location } });
    const { status, body } = await client.request({ host: APP });
    await putSession(system);
    return status === 200 ? body.toString() : `${status}: ${body}`;
  };
  const hello = (text: string) => createServer((_request, response) => response.end(text));

  test("localhost is tried as 127.0.0.1 and as ::1", async () => {
    const v4 = await listen(hello("v4"), "127.0.0.1");
    const v6 = await listen(hello("v6"), "::1");
    expect(await reached(`http://localhost:${v4}`)).toBe("v4");
    expect(await reached(`http://localhost:${v6}`)).toBe("v6");
    expect(await reached(`http://[::1]:${v6}`)).toBe("v6");
    expect(await reached(`http://shop.localhost:${v6}`)).toBe("v6");
    expect(await reached(`http://127.0.0.1:${v6}`)).toMatch(/^502/);
  });

  test("a service that moves from one to the other is found again", async () => {
    const first = hello("v6");
    const port = await listen(first, "::1");
    expect(await reached(`http://localhost:${port}`)).toBe("v6");
    first.close();
    first.closeAllConnections();
    const second = hello("v4");
    opened.push(second);
    await new Promise<void>((resolve) => second.listen(port, "127.0.0.1", () => resolve()));
    expect(await reached(`http://localhost:${port}`)).toBe("v4");
  });

  test("https with a certificate of its own works on this machine", async () => {
    const { certificate, key } = await issueLeaf(
      await createAuthority(["x.test"], Date.now()),
      "x.test",
      Date.now(),
    );
    const server = createHttps({ cert: certificate, key }, (_request, response) => response.end("secret"));
    const port = await listen(server as unknown as Server, "127.0.0.1");
    expect(await reached(`https://localhost:${port}`)).toBe("secret");
    expect(await reached(`https://127.0.0.1:${port}`)).toBe("secret");
  });

  test("http where https is spoken, and the other way round: 502", async () => {
    expect(await reached(`https://localhost:${system.app.port}`)).toMatch(/^502/);
  });

  test("a path in the location counts for nothing", async () => {
    const port = await listen(
      createServer((request, response) => response.end(request.url)),
      "127.0.0.1",
    );
    expect(await reached(`http://localhost:${port}/base/path?x=1`)).toBe("/");
  });

  test("sessions of several workspaces are served at once", async () => {
    const port = await listen(hello("the other one"), "127.0.0.1");
    await system.server.control("PUT", "/v1/sessions/other-toad", {
      session: {
        session_token: "t",
        services: [{ name: "app", location: `http://localhost:${port}` }],
        domains: [{ domain: "shop.localhost", default_service: "app" }],
      },
      origin_secret: null,
      config_path: "/other/linkup.yaml",
    });
    expect((await client.request({ host: "other-toad.shop.localhost" })).body.toString()).toBe(
      "the other one",
    );
    expect((await seenWith([])).tracestate).toBe(`linkup-session=${SESSION}`);
    await system.server.control("DELETE", "/v1/sessions/other-toad");
    expect((await client.request({ host: "other-toad.shop.localhost" })).status).toBe(422);
  });
});
