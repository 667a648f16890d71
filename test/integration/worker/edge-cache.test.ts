/** What is kept at the edge, for whom, and for how long. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { answerSeen, Internet } from "./internet.ts";
import { send, TOKEN } from "./world.ts";

let internet: Internet;
let worker: Awaited<ReturnType<Internet["startWorker"]>>;
/** Requests that the deployed service has seen, and what it answers with. */
let served: { path: string; method: string }[] = [];
let headers: Record<string, string> = {};

beforeAll(async () => {
  internet = await new Internet().start();
  worker = await internet.startWorker();
  internet.hosts.set("web.example.org", (request, response) => {
    served.push({ path: request.url!, method: request.method! });
    const body = `answer ${served.length}`;
    response.writeHead(200, { "content-length": body.length, ...headers }).end(body);
  });
  internet.hosts.set("other.example.org", answerSeen("other"));
});
afterAll(async () => {
  await worker.stop();
  await internet.stop();
});
beforeEach(() => {
  served = [];
  headers = { "cache-control": "public, max-age=3600", etag: '"1"' };
  internet.cache.broken = false;
});

async function preview(name: string, location = "https://web.example.org", token = "owner") {
  const { status, body } = await send(worker.url, "/linkup/v2/sessions/preview", {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify({
      desired_name: name,
      session_token: token,
      services: [
        { name: "web", location, rewrites: [{ source: "^/(?:static/old|moved)/", target: "/static/" }] },
      ],
      domains: [{ domain: "example.com", default_service: "web" }],
      cache_routes: ["^/static/"],
    }),
  });
  if (status !== 200) throw new Error(body);
}

const get = (name: string, path = "/static/a.js", more: Record<string, string> = {}, method = "GET") =>
  send(worker.url, path, { method, headers: { host: `${name}.example.com`, ...more } });

/** What is kept is kept behind the answer. */
async function kept(name: string, count = 1): Promise<void> {
  await expect.poll(() => internet.cache.count(`${name}.`)).toBe(count);
}

test("a path of cache_routes is answered from there the second time, as the service answered", async () => {
  await preview("kept");
  const first = await get("kept");
  await kept("kept");
  const second = await get("kept");
  expect([first.body, second.body]).toEqual(["answer 1", "answer 1"]);
  expect(second.headers).toMatchObject({
    "cache-control": "public, max-age=3600",
    etag: '"1"',
    "x-robots-tag": "noindex",
  });
  expect((await get("kept", "/static/a.js", { "if-none-match": '"1"' })).status).toBe(304);
  expect(served).toHaveLength(1);
});

test("the requested path decides, not the rewritten one", async () => {
  await preview("rewritten");
  const first = await get("rewritten", "/static/old/a.js");
  await kept("rewritten");
  expect((await get("rewritten", "/static/old/a.js")).body).toBe(first.body);
});

test("another path, another query, another encoding, another session: each has its own", async () => {
  await preview("one");
  await preview("two");
  const asked = [
    await get("one"),
    await get("one", "/static/a.js?v=2"),
    await get("one", "/static/b.js"),
    await get("one", "/static/a.js", { "accept-encoding": "br" }),
    await get("two"),
  ];
  expect(asked.map(({ body }) => body)).toEqual([1, 2, 3, 4, 5].map((n) => `answer ${n}`));
});

test("a path with dots in it does not lead to the place of another", async () => {
  await preview("dots");
  await get("dots", "/static/%2e%2e/%2e%2e/br/static/a.js", { "accept-encoding": "gzip" });
  await kept("dots");
  expect((await get("dots", "/static/a.js", { "accept-encoding": "br" })).body).toBe("answer 2");
});

test.each(["x-forwarded-host", "origin", "x-forwarded-proto", "x-original-url", "x-http-method-override"])(
  "an answer that somebody got by a forged %s is for nobody else",
  async (header) => {
    await preview(header);
    await get(header, "/static/a.js", { [header]: "https://evil.example" });
    await kept(header);
    expect((await get(header)).body).toBe("answer 2");
  },
);

test("a change of the session leaves nothing of before", async () => {
  await preview("changed");
  await get("changed");
  await kept("changed");
  expect((await get("changed")).body).toBe("answer 1");
  await preview("changed", "https://other.example.org");
  expect(JSON.parse((await get("changed")).body).service).toBe("other");
  await preview("changed");
  expect((await get("changed")).body).toBe("answer 2");
});

test("another owner of the name gets nothing of the one before", async () => {
  await preview("owned");
  await get("owned");
  await kept("owned");
  const deleted = await send(worker.url, "/linkup/v2/sessions/owned", {
    method: "DELETE",
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  expect(deleted.status).toBe(204);
  await preview("owned", "https://web.example.org", "somebody else");
  expect((await get("owned")).body).toBe("answer 2");
});

test("only GET is answered from there", async () => {
  await preview("methods");
  await get("methods");
  await kept("methods");
  for (const method of ["POST", "HEAD", "PUT", "DELETE", "OPTIONS"])
    await get("methods", "/static/a.js", {}, method);
  expect(served.map(({ method }) => method)).toEqual(["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"]);
});

test("a GET that asks by its body is not answered from there", async () => {
  await preview("bodies");
  await get("bodies");
  await kept("bodies");
  const headers = { host: "bodies.example.com", "content-length": "2" };
  expect((await send(worker.url, "/static/a.js", { headers, body: "{}" })).body).toBe("answer 2");
});

test("a client that wants a new answer gets one", async () => {
  await preview("fresh");
  await get("fresh");
  await kept("fresh");
  expect((await get("fresh", "/static/a.js", { "cache-control": "no-cache" })).body).toBe("answer 2");
});

test.each([
  ["another path than those of cache_routes", "/a.js", {}, {}],
  ["a path that only its rewrite makes one of theirs", "/moved/a.js", {}, {}],
  ["a request with a password", "/static/p", {}, { authorization: "Basic eDp5" }],
  ["private", "/static/1", { "cache-control": "private, max-age=60" }, {}],
  ["no-store", "/static/2", { "cache-control": "no-store, max-age=60" }, {}],
  ["no-cache", "/static/3", { "cache-control": "no-cache, max-age=60" }, {}],
  ["no word of how long", "/static/4", { "cache-control": "public" }, {}],
  ["max-age=0", "/static/5", { "cache-control": "public, max-age=0" }, {}],
  ["s-maxage=0", "/static/6", { "cache-control": "max-age=60, s-maxage=0" }, {}],
  ["a cookie", "/static/7", { "set-cookie": "a=1" }, {}],
  ["an answer that varies by the cookie", "/static/8", { vary: "Accept-Encoding, Cookie" }, {}],
  ["an answer that varies by everything", "/static/9", { vary: "*" }, {}],
])("not kept: %s", async (_what, path, answered, asked) => {
  await preview("never");
  headers = { ...headers, ...answered };
  await get("never", path, asked);
  await get("never", path, asked);
  expect(served).toHaveLength(2);
});

test("a cache that fails counts as missing", async () => {
  await preview("broken");
  internet.cache.broken = true;
  expect((await get("broken")).status).toBe(200);
  expect((await get("broken")).status).toBe(200);
  expect(served).toHaveLength(2);
});
