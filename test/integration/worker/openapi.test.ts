/** docs/operate/openapi.yaml against the Worker: every answer that it documents happens, and looks as it says. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { type Invite, MAX_INVITES } from "../../../core/api/access-api.ts";
import { INVITE_ROUTES, ROUTES } from "../../../worker/api/routes.ts";
import { answerSeen, Internet } from "./internet.ts";
import { apiOf, oneService, type startWorker, TOKEN } from "./world.ts";

type Json = Record<string, unknown>;
interface Operation {
  responses: Record<string, Json>;
  requestBody?: Json;
}

const file = parse(readFileSync(resolve(import.meta.dirname, "../../../docs/operate/openapi.yaml"), "utf8"));
const METHODS = ["get", "post", "put", "patch", "delete"];

/** The value with every `$ref` replaced by what it refers to. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== "object" || value === null) return value;
  const ref = (value as Json).$ref;
  if (typeof ref === "string") {
    const target = ref
      .replace("#/", "")
      .split("/")
      .reduce((at, key) => at[key], file);
    return resolved(target);
  }
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, resolved(member)]));
}

const operations = new Map<string, Operation>();
for (const [path, item] of Object.entries(file.paths as Record<string, Json>)) {
  for (const method of METHODS) {
    if (item[method]) operations.set(`${method.toUpperCase()} ${path}`, resolved(item[method]) as Operation);
  }
}

/** Calls that bring about each answer: operation, status, path, body, headers. */
interface Call {
  operation: string;
  status: number;
  path?: string;
  body?: unknown;
  headers?: Record<string, string>;
  token?: string;
}

let internet: Internet;
let worker: Awaited<ReturnType<typeof startWorker>>;
let named = "";
const tried = new Set<string>();

beforeAll(async () => {
  internet = await new Internet().start();
  internet.hosts.set("web.example.org", answerSeen("web"));
  worker = await internet.startWorker({ LINKUP_API_RATE: "1000" });
  const made = await apiOf(worker.url)("POST", "/linkup/v2/tokens", { name: "for-the-file" });
  named = String(made.json().token);
});
afterAll(async () => {
  await worker.stop();
  await internet.stop();
});

const remote = (more: object = {}) => ({
  ...oneService("https://web.example.org"),
  desired_name: "documented",
  session_token: "t",
  ...more,
});
const local = (more: object = {}) => ({ ...remote(more), ...oneService("http://localhost:3000") });
const big = "x".repeat(1024 * 1024 + 1);
const VERSION = { "x-linkup-version": "2.1.0" };

const TUNNELED = "POST /linkup/v2/sessions/tunneled";
const PREVIEW = "POST /linkup/v2/sessions/preview";
const SESSIONS = "/linkup/v2/sessions";
const TARGETS = `GET ${SESSIONS}/{session_name}/targets`;
const WATCH = `GET ${SESSIONS}/{session_name}/watch`;
const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};
const LOCAL = "POST /linkup/local-session";
const EXTEND = `PATCH ${SESSIONS}/{session_name}`;

const OF = `${SESSIONS}/documented`;
const ACCESS = `${SESSIONS}/{session_name}/access`;
const INVITES = `${SESSIONS}/{session_name}/invites`;
const INVITE = `DELETE ${INVITES}/{id}`;
const ROUTING = `${SESSIONS}/{session_name}/routing`;
const OWNER_LINK = `POST ${SESSIONS}/{session_name}/owner-link`;
const PRIVATE = { access: "private", open: ["^/webhooks/"] };

/** Of who may enter a session. */
const accessCalls: Call[] = [
  { operation: TUNNELED, status: 200, body: local({ access: "private", access_open: ["^/webhooks/"] }) },
  { operation: `GET ${ACCESS}`, status: 200, path: `${OF}/access` },
  { operation: `GET ${ACCESS}`, status: 403, path: `${OF}/access`, token: "named" },
  { operation: `GET ${ACCESS}`, status: 404, path: `${SESSIONS}/nobody/access` },
  { operation: `PUT ${ACCESS}`, status: 200, path: `${OF}/access`, body: PRIVATE },
  { operation: `PUT ${ACCESS}`, status: 400, path: `${OF}/access`, body: { access: "secret" } },
  { operation: `PUT ${ACCESS}`, status: 403, path: `${OF}/access`, body: PRIVATE, token: "named" },
  { operation: `PUT ${ACCESS}`, status: 404, path: `${SESSIONS}/nobody/access`, body: PRIVATE },
  { operation: `PUT ${ACCESS}`, status: 413, path: `${OF}/access`, body: big },
  { operation: `POST ${INVITES}`, status: 200, path: `${OF}/invites`, body: {} },
  {
    operation: `POST ${INVITES}`,
    status: 200,
    path: `${OF}/invites`,
    body: { name: "Ada", kind: "token", expires_in: 60, uses: null, rights: ["visit", "route"] },
  },
  { operation: `POST ${INVITES}`, status: 400, path: `${OF}/invites`, body: { rights: [] } },
  { operation: `POST ${INVITES}`, status: 403, path: `${OF}/invites`, token: "named" },
  { operation: `POST ${INVITES}`, status: 404, path: `${SESSIONS}/nobody/invites` },
  { operation: `POST ${INVITES}`, status: 413, path: `${OF}/invites`, body: big },
  { operation: `GET ${INVITES}`, status: 200, path: `${OF}/invites` },
  { operation: `GET ${INVITES}`, status: 403, path: `${OF}/invites`, token: "named" },
  { operation: `GET ${INVITES}`, status: 404, path: `${SESSIONS}/nobody/invites` },
  { operation: INVITE, status: 403, path: `${OF}/invites/x`, token: "named" },
  { operation: INVITE, status: 404, path: `${OF}/invites/x` },
  { operation: OWNER_LINK, status: 200, path: `${OF}/owner-link`, body: {} },
  {
    operation: OWNER_LINK,
    status: 200,
    path: `${OF}/owner-link`,
    body: { to: "https://documented.example.com/x" },
  },
  { operation: OWNER_LINK, status: 400, path: `${OF}/owner-link`, body: { to: 1 } },
  { operation: OWNER_LINK, status: 403, path: `${OF}/owner-link`, token: "named" },
  { operation: OWNER_LINK, status: 404, path: `${SESSIONS}/nobody/owner-link` },
  { operation: OWNER_LINK, status: 413, path: `${OF}/owner-link`, body: big },
];

const calls: Call[] = [
  { operation: "GET /linkup/check", status: 200 },
  { operation: "GET /linkup/v2/capabilities", status: 200 },
  { operation: TUNNELED, status: 200, body: local({ expires_in: 60, access: "public", name_kind: null }) },
  { operation: TUNNELED, status: 200, body: local({ desired_name: null, access: "unguessable" }) },
  { operation: TUNNELED, status: 400, body: {} },
  { operation: TUNNELED, status: 409, body: local({ session_token: "other" }) },
  { operation: TUNNELED, status: 413, body: big },
  {
    operation: PREVIEW,
    status: 200,
    body: {
      ...remote({
        desired_name: "documented-preview",
        cache_routes: ["/static"],
        replace: false,
        session_cookie: false,
      }),
      services: [
        {
          name: "web",
          location: "https://web.example.org",
          rewrites: [{ source: "a", target: "b" }],
          preserve_host: true,
        },
      ],
      domains: [{ domain: "example.com", default_service: "web", routes: [{ path: "/x", service: "web" }] }],
    },
  },
  { operation: PREVIEW, status: 400, body: local() },
  { operation: PREVIEW, status: 409, body: remote({ session_token: "other" }) },
  { operation: PREVIEW, status: 413, body: big },
  { operation: "GET /linkup/v2/tunnel-check", status: 200 },
  { operation: `GET ${SESSIONS}`, status: 200 },
  { operation: `GET ${SESSIONS}`, status: 200, path: `${SESSIONS}?limit=1` },
  { operation: `GET ${SESSIONS}`, status: 400, path: `${SESSIONS}?limit=0` },
  { operation: `GET ${SESSIONS}/{session_name}`, status: 200, path: `${SESSIONS}/documented` },
  { operation: `GET ${SESSIONS}/{session_name}`, status: 200, path: `${SESSIONS}/documented-preview` },
  { operation: `GET ${SESSIONS}/{session_name}`, status: 404, path: `${SESSIONS}/nobody` },
  {
    operation: PREVIEW,
    status: 200,
    body: remote({
      desired_name: "documented-targets",
      share_targets: true,
      services: [
        { name: "web", location: "https://web.example.org", rewrites: null, session: "documented-preview" },
      ],
    }),
  },
  { operation: TARGETS, status: 200, path: `${SESSIONS}/documented-targets/targets` },
  { operation: TARGETS, status: 404, path: `${SESSIONS}/nobody/targets` },
  { operation: `GET ${SESSIONS}/{session_name}`, status: 200, path: `${SESSIONS}/documented-targets` },
  { operation: EXTEND, status: 200, path: `${SESSIONS}/documented`, body: { expires_in: 60 } },
  { operation: EXTEND, status: 400, path: `${SESSIONS}/documented`, body: { expires_in: 0 } },
  {
    operation: EXTEND,
    status: 403,
    path: `${SESSIONS}/documented`,
    body: { expires_in: 60 },
    token: "named",
  },
  { operation: EXTEND, status: 404, path: `${SESSIONS}/nobody`, body: { expires_in: 60 } },
  { operation: EXTEND, status: 413, path: `${SESSIONS}/documented`, body: big },
  { operation: LOCAL, status: 200, body: local(), headers: VERSION },
  { operation: LOCAL, status: 400, body: {}, headers: VERSION },
  { operation: LOCAL, status: 401, body: local() },
  { operation: LOCAL, status: 413, body: big, headers: VERSION },
  { operation: "POST /linkup/preview-session", status: 200, body: oneService("https://web.example.org") },
  { operation: "POST /linkup/preview-session", status: 400, body: {} },
  { operation: "POST /linkup/preview-session", status: 413, body: big },
  { operation: "GET /linkup/tunnel", status: 200, path: "/linkup/tunnel?session_name=documented" },
  {
    operation: "GET /linkup/tunnel",
    status: 403,
    path: "/linkup/tunnel?session_name=documented",
    token: "named",
  },
  { operation: "GET /linkup/tunnel", status: 400, path: "/linkup/tunnel?session_name=NO" },
  { operation: "GET /linkup/no-tunnel", status: 422 },
  { operation: "GET /linkup/v2/tokens", status: 200 },
  { operation: "GET /linkup/v2/tokens", status: 403, token: "named" },
  { operation: "POST /linkup/v2/tokens", status: 200, body: { name: "another" } },
  { operation: "POST /linkup/v2/tokens", status: 400, body: { name: "" } },
  { operation: "POST /linkup/v2/tokens", status: 403, body: { name: "x" }, token: "named" },
  { operation: "POST /linkup/v2/tokens", status: 409, body: { name: "another" } },
  { operation: "POST /linkup/v2/tokens", status: 413, body: big },
  {
    operation: "DELETE /linkup/v2/tokens/{name}",
    status: 403,
    path: "/linkup/v2/tokens/another",
    token: "named",
  },
  { operation: "DELETE /linkup/v2/tokens/{name}", status: 204, path: "/linkup/v2/tokens/another" },
  { operation: "DELETE /linkup/v2/tokens/{name}", status: 404, path: "/linkup/v2/tokens/another" },
  {
    operation: `DELETE ${SESSIONS}/{session_name}`,
    status: 403,
    path: `${SESSIONS}/documented-preview`,
    token: "named",
  },
  { operation: WATCH, status: 426, path: `${SESSIONS}/documented/watch` },
  { operation: WATCH, status: 404, path: `${SESSIONS}/nobody/watch`, headers: UPGRADE },
  {
    operation: WATCH,
    status: 403,
    path: `${SESSIONS}/documented-preview/watch`,
    headers: UPGRADE,
    token: "named",
  },
  ...accessCalls,
  { operation: "GET /linkup/v2/audit", status: 200 },
  { operation: "GET /linkup/v2/audit", status: 400, path: "/linkup/v2/audit?limit=0" },
  { operation: "GET /linkup/v2/audit", status: 403, token: "named" },
  { operation: `DELETE ${SESSIONS}/{session_name}`, status: 204, path: `${SESSIONS}/documented-preview` },
  { operation: `DELETE ${SESSIONS}/{session_name}`, status: 404, path: `${SESSIONS}/documented-preview` },
  { operation: `DELETE ${SESSIONS}`, status: 400 },
  { operation: `DELETE ${SESSIONS}`, status: 200, path: `${SESSIONS}?name=docu*` },
  ...[...operations.keys()].map((operation) => ({ operation, status: 401, token: "wrong" })),
];

async function play({ operation, status, path, body, headers = {}, token }: Call): Promise<void> {
  const [method = "", documentedPath = ""] = operation.split(" ");
  const api = apiOf(worker.url, token === "named" ? named : (token ?? TOKEN));
  const answer = await api(method, path ?? documentedPath, body, headers);
  expect([operation, answer.status, status === answer.status ? "" : answer.body]).toEqual([
    operation,
    status,
    "",
  ]);

  const documented = operations.get(operation)?.responses[String(status)];
  expect(documented, `${operation} does not document ${status}`).toBeDefined();
  tried.add(`${operation} ${status}`);
  const [[type, content] = []] = Object.entries(
    (documented?.content ?? {}) as Record<string, { schema: Json }>,
  );
  expect(answer.headers["content-type"]?.split(";")[0]).toBe(type);
  const value = type === "application/json" ? answer.json() : answer.body;
  if (content) z.fromJSONSchema(content.schema as z.core.JSONSchema.BaseSchema).parse(value);
}

describe("the API is as it is documented", () => {
  for (const call of calls) {
    test(`${call.operation} answers ${call.status}${call.token ? ` to a ${call.token} token` : ""}`, () =>
      play(call));
  }

  test("a tunnel that cannot be made", async () => {
    internet.cloudflare.faults = [
      { on: "POST /accounts", status: 400, errors: [{ code: 1, message: "no" }] },
    ];
    const name = "never";
    await play({ operation: TUNNELED, status: 502, body: local({ desired_name: name }) });
    await play({ operation: LOCAL, status: 502, body: local({ desired_name: name }), headers: VERSION });
    await play({ operation: "GET /linkup/tunnel", status: 502, path: `/linkup/tunnel?session_name=${name}` });
    internet.cloudflare.faults = [];
  });

  test("a token of the Worker's own that lacks a right", async () => {
    const { cloudflare } = internet;
    const check = async () => (await apiOf(worker.url)("GET", "/linkup/v2/tunnel-check")).json().problem;
    expect(await check()).toBeNull();
    cloudflare.faults = [
      { on: "GET /accounts", status: 403, errors: [{ code: 10000, message: "Authentication error" }] },
    ];
    expect(await check()).toMatch(/look for the tunnel.*Authentication error/);
    cloudflare.faults = [];
  });

  test("a routing that somebody invited asks for", async () => {
    const at = `${SESSIONS}/shared`;
    const overrides = [
      {
        name: "pr-12",
        service: "web",
        path: "^/x",
        methods: ["GET"],
        headers: [{ name: "x-a", pattern: "b" }],
      },
    ];
    const routed = { web: { target: "remote", by: "Ada" } };
    const shared = {
      operation: TUNNELED,
      status: 200,
      body: local({ desired_name: "shared", overrides, routed }),
    };
    calls.push(shared);
    await play(shared);
    await play({ operation: `GET ${SESSIONS}/{session_name}`, status: 200, path: at });
    const made = await apiOf(worker.url)("POST", `${at}/invites`, { kind: "token", rights: ["route"] });
    const headers = { "linkup-access": String(made.json().token) };
    const change = { services: { web: "remote" } };
    const path = `${at}/routing`;
    await play({ operation: `GET ${ROUTING}`, status: 200, path, headers });
    const asked = { operation: `POST ${ROUTING}`, status: 202, path, body: change, headers };
    await play(asked);
    await play({ ...asked, status: 400, body: { services: {} } });
    await play({ ...asked, status: 413, body: big });
    const owner = { operation: `GET ${ROUTING}`, path };
    await play({ ...owner, status: 200 });
    await play({ ...owner, status: 403, token: "named" });
    await play({ ...owner, status: 404, path: `${SESSIONS}/nobody/routing` });
    const { requests } = (await apiOf(worker.url)("GET", path)).json() as { requests: [{ id: string }] };
    const one = `${path}/${requests[0].id}`;
    const answer = { operation: `GET ${ROUTING}/{id}`, path: one, headers };
    await play({ ...answer, status: 200 });
    await play({ ...answer, status: 404, path: `${path}/x` });
    const done = { operation: `PUT ${ROUTING}/{id}`, path: one, body: { error: "no" } };
    await play({ ...done, status: 403, token: "named" });
    await play({ ...done, status: 204 });
    await play({ ...answer, status: 200 });
    await play({ ...done, status: 400, body: {} });
    await play({ ...done, status: 404, path: `${path}/x` });
    await play({ ...done, status: 413, body: big });
    await apiOf(worker.url)("DELETE", `${at}?keep_tunnel=true`);
    await play({ ...asked, status: 404 });
  });

  test("the Worker's routes are those of the file", () => {
    const named = (route: string) =>
      route
        .replace("tokens/:name", "tokens/{name}")
        .replace(":name", "{session_name}")
        .replace(":item", "{id}");
    const served = new Set([...ROUTES, ...INVITE_ROUTES].map(named));
    expect([...served].toSorted()).toEqual([...operations.keys()].toSorted());
  });

  test("too many invites", async () => {
    await play({ operation: PREVIEW, status: 200, body: remote({ desired_name: "crowded" }) });
    const path = `${SESSIONS}/crowded/invites`;
    const api = apiOf(worker.url);
    for (let n = 0; n < MAX_INVITES; n++) await api("POST", path, {});
    await play({ operation: `POST ${INVITES}`, status: 409, path });
    const [{ id }] = (await api("GET", path)).json().invites as [Invite];
    await play({ operation: INVITE, status: 204, path: `${path}/${id}` });
  });

  test("too many calls", async () => {
    const few = await internet.startWorker({ LINKUP_API_RATE: "1" });
    const api = apiOf(few.url);
    await api("GET", "/linkup/check");
    const answer = await api("GET", "/linkup/check");
    await few.stop();
    expect([answer.status, Number(answer.headers["retry-after"]) > 0]).toEqual([429, true]);
    tried.add("GET /linkup/check 429");
  });

  test("nothing is documented that was not tried", () => {
    const documented = [...operations].flatMap(([operation, { responses }]) =>
      Object.keys(responses).map((status) => `${operation} ${status}`),
    );
    expect(documented.filter((answer) => !tried.has(answer))).toEqual([]);
  });

  test("the request bodies that were accepted are those that it describes", () => {
    for (const { operation, status, body } of calls) {
      const request = operations.get(operation)?.requestBody as
        | { content: Record<string, { schema: Json }> }
        | undefined;
      if (status !== 200 || !request) continue;
      const schema = request.content["application/json"]!.schema;
      expect(() => z.fromJSONSchema(schema as z.core.JSONSchema.BaseSchema).parse(body)).not.toThrow();
    }
  });
});
