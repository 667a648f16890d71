/** Requests that nobody would write, against the API and the proxy: no answer is a failure of ours. */

import { once } from "node:events";
import http from "node:http";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { apiOf, type StartedService, startService, startWorker, TOKEN } from "./world.ts";

let worker: Awaited<ReturnType<typeof startWorker>>;
let service: StartedService;
const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
const seed = Number(process.env.FUZZ_SEED) || Date.now() % 2 ** 31;

beforeAll(async () => {
  console.log(`FUZZ_SEED=${seed} repeats this run`);
  service = await startService("web");
  worker = await startWorker({ tunnelUrl: service.url });
  for (const name of NAMES) {
    await apiOf(worker.url)("POST", "/linkup/v2/sessions/tunneled", {
      desired_name: name,
      session_token: "fuzz",
      services: [
        {
          name: "web",
          location: "http://localhost:1",
          rewrites: [{ source: "/a(.*)b", target: "$1$2$$//x?#" }],
        },
        { name: "api", location: service.url, rewrites: [{ source: "", target: "-" }] },
        { name: "down", location: "http://127.0.0.1:1" },
      ],
      domains: [
        { domain: "example.com", default_service: "web", routes: [{ path: "(x+x+)+y", service: "down" }] },
        { domain: "api.example.com", default_service: "api", routes: [{ path: "^/[^/]*$", service: "web" }] },
      ],
      cache_routes: ["/static/", "(a|aa)+$"],
    });
  }
});
afterAll(async () => {
  agent.destroy();
  await worker.stop();
  await service.stop();
});

const NAMES = ["one", "two", "a-b"];

interface Fuzzed {
  method: string;
  path: string;
  headers: [string, string][];
  body: string;
}

/** Characters that may stand on a request line, and in a header's value. */
const pathText = fc.string({
  unit: fc.constantFrom(..."/aabx.%2F?&=#~:@;,!$'()*+-_|[]{}^\\09"),
  maxLength: 40,
});
const headerText = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 60,
});
const name = fc.oneof(
  fc.constantFrom(...NAMES, "nobody", "-", "x".repeat(63), "x".repeat(64)),
  fc.stringMatching(/^[a-z0-9-]{1,8}$/),
);
const domain = fc.constantFrom(
  "example.com",
  "api.example.com",
  "com",
  "example.com.",
  "EXAMPLE.com",
  "",
  "[::1]",
);
const host = fc
  .tuple(name, domain, fc.constantFrom("", ":80", ":99999", "."))
  .map(([name, domain, end]) => `${name}.${domain}${end}`);
const url = fc.oneof(
  host.map((host) => `https://${host}/x`),
  headerText,
);
const tracestate = fc
  .array(
    fc.oneof(
      name.map((name) => `linkup-session=${name}`),
      headerText,
    ),
    { maxLength: 40 },
  )
  .map((members) => members.join(","));

const header: fc.Arbitrary<[string, string]> = fc.oneof(
  fc.tuple(fc.constant("host"), host),
  fc.tuple(fc.constant("x-forwarded-host"), fc.oneof(host, headerText)),
  fc.tuple(fc.constantFrom("referer", "origin"), url),
  fc.tuple(fc.constant("tracestate"), tracestate),
  fc.tuple(
    fc.constant("linkup-destination"),
    fc.oneof(fc.constantFrom("web", "api", "down", "nobody"), headerText),
  ),
  fc.tuple(fc.constant("linkup-hops"), fc.constantFrom("1", "15", "16", "-1", "1e9", "NaN", "x")),
  fc.tuple(
    fc.constantFrom(
      "cookie",
      "traceparent",
      "accept",
      "cache-control",
      "if-none-match",
      "range",
      "x-own",
      "content-type",
      "authorization",
      "linkup-origin-secret",
      "access-control-request-method",
      "access-control-request-headers",
      "proxy-authorization",
    ),
    headerText,
  ),
  fc.tuple(fc.constant("connection"), fc.constantFrom("keep-alive", "x-own", "x-own, cookie", ",,", "host")),
);
const method = fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND");

const forProxy: fc.Arbitrary<Fuzzed> = fc.record({
  method,
  path: pathText.map((text) => `/${text}`),
  headers: fc.array(header, { maxLength: 8 }),
  body: fc.string({ maxLength: 50 }),
});

const apiPath = fc.oneof(
  fc.constantFrom(
    "/linkup",
    "/linkup/",
    "/linkup/check",
    "/linkup/no-tunnel",
    "/linkup/local-session",
    "/linkup/preview-session",
    "/linkup/v2/sessions",
    "/linkup/v2/sessions/tunneled",
    "/linkup/v2/sessions/preview",
    "/linkup/v2/tokens",
    "/linkup/v2/capabilities",
  ),
  pathText.map((text) => `/linkup/v2/sessions/${text}`),
  pathText.map((text) => `/linkup/v2/sessions?name=${text}`),
  pathText.map((text) => `/linkup/tunnel?session_name=${text}`),
  pathText.map((text) => `/linkup/v2/tokens/${text}`),
);
/** Upsert requests, more or less. */
const junk = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom("http://localhost:1", "http://", "ftp://x", "(", "a".repeat(70)),
);
const mostly = <T>(sound: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 9, arbitrary: sound as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: junk });
const upsert = fc.record(
  {
    desired_name: mostly(fc.oneof(name, fc.constant(""), fc.constant(null))),
    session_token: mostly(fc.constantFrom("fuzz", "other")),
    name_kind: mostly(fc.constantFrom("animal", "six_char", null)),
    services: mostly(
      fc.array(
        fc.record({
          name: mostly(fc.constantFrom("web", "api")),
          location: mostly(fc.constantFrom("http://localhost:3000", "http://127.0.0.1:1")),
          rewrites: mostly(fc.constant(null)),
        }),
        { maxLength: 3 },
      ),
    ),
    domains: mostly(
      fc.array(
        fc.record({
          domain: mostly(domain),
          default_service: mostly(fc.constantFrom("web", "api")),
          routes: mostly(fc.constant([{ path: ".*", service: "web" }])),
        }),
        { maxLength: 3 },
      ),
    ),
    cache_routes: mostly(fc.constant(["x"])),
    expires_in: mostly(fc.constantFrom(1, 1000, null)),
    access: mostly(fc.constantFrom("public", "unguessable", null)),
    tunnel_url: mostly(fc.constantFrom("http://127.0.0.1:1", null)),
  },
  { requiredKeys: [] },
);
const forApi: fc.Arbitrary<Fuzzed> = fc.record({
  method,
  path: apiPath,
  headers: fc
    .array(header, { maxLength: 2 })
    .map((headers) => [
      ...headers.filter(([name]) => name !== "authorization"),
      ["authorization", `Bearer ${TOKEN}`] as [string, string],
      ["x-linkup-version", "3.0.0"] as [string, string],
    ]),
  body: fc.oneof(
    upsert.map((body) => JSON.stringify(body)),
    fc.string(),
    fc.jsonValue().map((value) => JSON.stringify(value)),
  ),
});

/** Failures that are of a service, or that a request asked for. */
const NOT_OURS = new Set(["service-unreachable", "tunnel-down", "loop"]);

async function failure({ method, path, headers, body }: Fuzzed): Promise<string | undefined> {
  const { hostname, port } = new URL(worker.url);
  const lines: Record<string, string> = { host: "one.example.com" };
  for (const [name, value] of headers) lines[name] = value.trim();
  if (method !== "GET" && method !== "HEAD") lines["content-length"] = String(Buffer.byteLength(body));
  const request = http.request({ hostname, port, method, path, headers: lines, agent });
  request.end(method === "GET" || method === "HEAD" ? undefined : body);
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  let text = "";
  for await (const part of response) text += part;
  const status = response.statusCode ?? 0;
  if (status < 500 || NOT_OURS.has(String(response.headers["linkup-error"]))) return undefined;
  return `${status} ${text.slice(0, 300)}`;
}

test.each([
  ["the proxy", forProxy, 300],
  ["the API", forApi, 160],
] as const)("%s", { timeout: 300_000 }, async (_, arbitrary, runs) => {
  let sent = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(arbitrary, { minLength: 40, maxLength: 60 }), async (requests) => {
      sent += requests.length;
      const failures = await Promise.all(requests.map(failure));
      expect(failures.filter((what) => what !== undefined)).toEqual([]);
    }),
    { seed, numRuns: runs },
  );
  console.log(`${sent} requests`);
});
