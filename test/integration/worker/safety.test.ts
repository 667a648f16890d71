/** What must not happen, and what is said instead. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { answerSeen, Internet } from "./internet.ts";
import { type Api, apiOf, oneService, send, startWorker, TOKEN } from "./world.ts";

let internet: Internet;
let worker: Awaited<ReturnType<typeof startWorker>>;
let api: Api;
const others: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  internet = await new Internet().start();
  internet.hosts.set("web.example.org", answerSeen("web"));
  worker = await internet.startWorker();
  api = apiOf(worker.url);
});
afterAll(async () => {
  await worker.stop();
  await internet.stop();
});
afterEach(async () => {
  await Promise.all(others.splice(0).map((other) => other.stop()));
});

const preview = (location: string, more: object = {}) =>
  api("POST", "/linkup/v2/sessions/preview", {
    ...oneService(location),
    session_token: "t",
    ...more,
  });

describe("no open proxy", () => {
  test("nothing but a session's own services is reached, whatever a request says", async () => {
    await preview("https://web.example.org", { desired_name: "one" });
    let reached = 0;
    internet.hosts.set("victim.example.org", (_, response) => {
      reached++;
      response.end();
    });
    const host = "one.example.com";
    for (const [path, headers] of [
      ["/", { host, "linkup-destination": "https://victim.example.org" }],
      ["//victim.example.org/", { host }],
      ["/@victim.example.org/", { host }],
      ["/", { host, "x-forwarded-host": "victim.example.org", "x-forwarded-proto": "gopher" }],
      ["http://victim.example.org/", { host }],
      ["/", { host: "victim.example.org", tracestate: "linkup-session=one" }],
    ] as const) {
      const answer = await send(worker.url, path, { headers });
      expect([path, [200, 404, 400].includes(answer.status)]).toEqual([path, true]);
    }
    expect(reached).toBe(0);
  });

  test("a session cannot be made without a token", async () => {
    const answer = await send(worker.url, "/linkup/v2/sessions/preview", {
      method: "POST",
      headers: {},
      body: JSON.stringify(oneService("https://web.example.org")),
    });
    expect(answer.status).toBe(401);
  });

  test("the Worker's token is for the Worker alone, also where a path under /linkup is a service's", async () => {
    await preview("https://web.example.org", { desired_name: "one" });
    const answer = await api("GET", "/linkup/page-of-a-service", undefined, { host: "one.example.com" });
    expect(answer.status).toBe(200);
    const seen = JSON.parse(answer.body);
    expect(seen.headers).toHaveProperty("linkup-destination", "web");
    expect(seen.headers).not.toHaveProperty("authorization");
  });

  test("private targets are refused, all in one answer", async () => {
    const answer = await api("POST", "/linkup/v2/sessions/preview", {
      services: [
        { name: "metadata", location: "http://169.254.169.254/" },
        { name: "fine", location: "https://web.example.org" },
        { name: "database", location: "http://10.0.0.5:5432" },
        { name: "laptop", location: "http://127.0.0.1:3000" },
      ],
      domains: [{ domain: "example.com", default_service: "fine" }],
    });
    expect(answer.status).toBe(400);
    expect(answer.body.split("\n").map((line) => line.slice(0, 20))).toEqual([
      "services[0].location",
      "services[2].location",
      "services[3].location",
    ]);
  });

  test("the Worker's own host is refused as a target", async () => {
    const { host } = new URL(worker.url);
    expect((await preview(`http://${host}/`)).status).toBe(400);
  });
});

describe("caches", () => {
  test("Cloudflare's, which knows nothing of sessions, is kept out of a service's answers", async () => {
    await preview("https://web.example.org", { desired_name: "uncached", cache_routes: ["/static/"] });
    for (const path of ["/", "/static/a.js"]) {
      const answer = await send(worker.url, path, { headers: { host: "uncached.example.com" } });
      // How workerd tells Cloudflare's edge that a request is not to be answered from there.
      expect(JSON.parse(String(JSON.parse(answer.body).headers["cf-blob"]))).toMatchObject({ cacheTtl: -1 });
    }
  });

  test("a browser's keeps the answers of two sessions at one address apart", async () => {
    internet.hosts.set("cached.example.org", (_, response) => {
      response.setHeader("cache-control", "public, max-age=3600").end("x");
    });
    await preview("https://cached.example.org", { desired_name: "browser", cache_routes: ["/static/"] });
    const shared = await send(worker.url, "/static/a.js", {
      headers: { host: "example.com", referer: "https://browser.example.com/" },
    });
    expect(shared.headers).toMatchObject({
      "cache-control": "public, max-age=3600",
      vary: "Referer, Origin, tracestate, Cookie",
    });
    const own = await send(worker.url, "/static/a.js", { headers: { host: "browser.example.com" } });
    expect(own.headers["cache-control"]).toBe("public, max-age=3600");
    expect(own.headers).not.toHaveProperty("vary");
  });
});

describe("loops", () => {
  test("two sessions that lead to each other's domains are cut off, after few rounds", async () => {
    let rounds = 0;
    // What the Internet does with the host names of sessions: it leads them back to the Worker.
    internet.hosts.set("loop.example.net", async (request, response) => {
      rounds++;
      const { connection: _, ...headers } = request.headers;
      const again = await send(worker.url, request.url ?? "/", {
        headers: headers as Record<string, string>,
      });
      response.writeHead(again.status, { "linkup-error": String(again.headers["linkup-error"]) });
      response.end(again.body);
    });
    await preview("http://loop.example.net", { desired_name: "loop" });
    const answer = await send(worker.url, "/", { headers: { host: "loop.example.com" } });
    expect([answer.status, answer.headers["linkup-error"]]).toEqual([508, "loop"]);
    expect(answer.body).toContain("The URL of a service leads back to Linkup");
    expect(rounds).toBeLessThan(20);
  });
});

describe("bodies", () => {
  test("more than a megabyte is refused, with and without a length", async () => {
    const big = JSON.stringify({ ...oneService("https://web.example.org"), x: "y".repeat(1024 * 1024) });
    expect((await api("POST", "/linkup/v2/sessions/preview", big)).status).toBe(413);
    const chunked = await api("POST", "/linkup/v2/sessions/preview", big, { "transfer-encoding": "chunked" });
    expect(chunked.status).toBe(413);
  });

  test("invalid UTF-8 is refused", async () => {
    const answer = await send(worker.url, "/linkup/v2/sessions/preview", {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}` },
      body: Buffer.from([0x22, 0xff, 0xfe, 0x22]),
    });
    expect([answer.status, answer.body]).toEqual([
      400,
      expect.stringContaining("The body is not valid JSON"),
    ]);
  });
});

describe("tokens", () => {
  test("wrong ones are slowed down, the right one is not", async () => {
    const own = await internet.startWorker();
    others.push(own);
    const wrong = apiOf(own.url, "linkup_wrong");
    const here = { "cf-connecting-ip": "192.0.2.1" };
    const statuses = new Set<number>();
    for (let n = 0; n < 70; n++) statuses.add((await wrong("GET", "/linkup/check", undefined, here)).status);
    expect(statuses).toEqual(new Set([401, 429]));
    const slowed = await wrong("GET", "/linkup/check", undefined, here);
    expect([slowed.status, Number(slowed.headers["retry-after"]) > 0]).toEqual([429, true]);
    expect((await apiOf(own.url)("GET", "/linkup/check")).status).toBe(200);
  });

  test("each has its own number of calls in a minute", async () => {
    const own = await internet.startWorker({ LINKUP_API_RATE: "5" });
    others.push(own);
    const owner = apiOf(own.url);
    const { token } = (await owner("POST", "/linkup/v2/tokens", { name: "ci" })).json();
    const named = apiOf(own.url, String(token));
    const count = async (api: Api) => {
      const statuses = [];
      for (let n = 0; n < 8; n++) statuses.push((await api("GET", "/linkup/check")).status);
      return statuses.filter((status) => status === 200).length;
    };
    // The owner has used one to make the token.
    expect([await count(owner), await count(named)]).toEqual([4, 5]);
  });

  test("a named one works for sessions, cannot manage tokens, and ends when it is revoked", async () => {
    const { token } = (await api("POST", "/linkup/v2/tokens", { name: "agent.1" })).json();
    expect(token).toMatch(/^linkup_[0-9a-f]{64}$/);
    const named = apiOf(worker.url, String(token));
    const created = await named("POST", "/linkup/v2/sessions/preview", oneService("https://web.example.org"));
    expect(created.status).toBe(200);
    for (const [method, path] of [
      ["GET", "/linkup/v2/tokens"],
      ["POST", "/linkup/v2/tokens"],
      ["DELETE", "/linkup/v2/tokens/agent.1"],
    ] as const)
      expect((await named(method, path, method === "POST" ? { name: "x" } : undefined)).status).toBe(403);
    expect((await api("DELETE", "/linkup/v2/tokens/agent.1")).status).toBe(204);
    expect((await named("GET", "/linkup/check")).status).toBe(401);
    expect((await api("DELETE", "/linkup/v2/tokens/agent.1")).status).toBe(404);
  });

  test("without WORKER_TOKEN all logins are refused", async () => {
    const open = await startWorker({ token: "" });
    others.push(open);
    for (const token of ["", "undefined", "null"])
      expect((await apiOf(open.url, token)("GET", "/linkup/check")).status).toBe(401);
  });
});

describe("answers for people", () => {
  test("a browser gets a page with the words of the text, and nothing of the request runs in it", async () => {
    await preview("https://web.example.org", { desired_name: "page" });
    const host = `page.<script>alert(1)</script>.com`;
    const answer = await send(worker.url, "/", {
      headers: { host: "page.example.com", accept: "text/html" },
    });
    expect(answer.status).toBe(200);
    const missing = await send(worker.url, "/", {
      headers: { host: "page.another.com", "x-forwarded-host": host, accept: "text/html,application/xml" },
    });
    expect([missing.status, missing.headers["content-type"]]).toEqual([404, "text/html; charset=utf-8"]);
    expect(missing.headers["content-security-policy"]).toContain("default-src 'none'");
    expect(missing.body).toContain(
      "The request belonged to a session, but there was no target for the request.",
    );
    expect(missing.body).not.toContain("<script>");
  });

  test("a failing page of the session can be read by the session's other pages", async () => {
    await preview("https://web.example.org", { desired_name: "cors" });
    await api("POST", "/linkup/v2/sessions/tunneled", {
      ...oneService("http://localhost:1"),
      desired_name: "cors-local",
      session_token: "t",
    });
    const origin = "https://cors-local.example.com";
    const answer = await send(worker.url, "/", { headers: { host: "cors-local.example.com", origin } });
    expect([answer.status, answer.headers["access-control-allow-origin"]]).toEqual([502, origin]);
  });

  test("a session of the first API that was started without a tunnel", async () => {
    await api(
      "POST",
      "/linkup/local-session",
      {
        ...oneService(`${worker.url}/linkup/no-tunnel`),
        desired_name: "no-tunnel",
        session_token: "t",
      },
      { "x-linkup-version": "2.1.0" },
    );
    const answer = await send(worker.url, "/x", { headers: { host: "no-tunnel.example.com" } });
    expect([answer.status, answer.headers["linkup-error"], answer.body.split("\n")[0]]).toEqual([
      422,
      "no-tunnel",
      "This linkup session has no associated tunnel / was started with --no-tunnel",
    ]);
  });
});
