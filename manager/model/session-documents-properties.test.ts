/** One decision: the Worker, the local server and `explain` send a request to the same place, whatever the file says. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { OVERRIDES_CAPABILITY, SESSION_TARGETS_CAPABILITY } from "../../core/api/worker-api.ts";
import type { Config } from "../../core/config/model/config-model.ts";
import type { ConfigOverride } from "../../core/config/model/overrides-of.ts";
import { addedHeaders } from "../../core/routing/proxy-headers.ts";
import { decideRequest, type RoutableSession } from "../../core/routing/request-decision.ts";
import { type Routed, route } from "../../core/routing/route-request.ts";
import { headOfUrl, type RequestHead } from "../../core/routing/routing-input.ts";
import { resolveAuto } from "../../core/session/auto-target.ts";
import { parseSession, parseUpsert } from "../../core/session/parse-session.ts";
import { type AutoState, isLocal, type Rewrite, type Routing } from "../../core/session/session-document.ts";
import { explain } from "../operations/explain.ts";
import { newRecord } from "./records.ts";
import { isOverrideOn, servedSession, upsertRequest } from "./session-documents.ts";
import type { SessionRecord } from "./state.ts";

const NAME = "slim-gecko";
const TUNNEL = "https://tunnel.example.net";
const SERVICES = ["web", "constructor", "__proto__"];

const serviceName = fc.constantFrom(...SERVICES);
const pattern = fc.constantFrom("^/api/", "^/pay", "/v2/", "a+$", "", "[^/]/x");
const domain = fc.constantFrom("example.com", "api.example.com");
const url = fc.constantFrom("https://pr-7.example.net", "http://localhost:7777", "http://10.0.0.7:80/base");
const target = fc.oneof(fc.constantFrom("local", "remote", "auto", "staging", "session:bold-cat"), url);

const override = fc
  .record({
    conditions: fc.record({ service: serviceName, domain }, { requiredKeys: [] }),
    when: fc.record(
      {
        path: pattern,
        methods: fc.constantFrom<string[]>(["GET"], ["POST", "PUT"]),
        headers: fc.constantFrom<Record<string, string>>(
          { "x-user": "^test" },
          { "x-user": "", "x-none": "." },
        ),
      },
      { requiredKeys: [] },
    ),
    action: fc.oneof(
      fc.record({
        target: fc.oneof(fc.constantFrom("local", "remote", "staging"), url),
        fallthrough: fc.boolean(),
      }),
      fc.constantFrom<Pick<ConfigOverride, "respond" | "fault">>(
        { respond: { status: 503 } },
        { fault: { delay_ms: 10 } },
      ),
    ),
    enabled: fc.boolean(),
  })
  .map(({ conditions, when, action, enabled }) => ({ ...conditions, when, ...action, enabled }));

const config: fc.Arbitrary<Config> = fc.record({
  linkup: fc.constant({ worker_url: "https://linkup.example.com", cache_routes: [] }),
  services: fc.tuple(
    ...SERVICES.map((name, at) =>
      fc.record({
        name: fc.constant(name),
        remote: fc.constant(`https://${name}.example.net`),
        local: fc.constantFrom(`http://localhost:${3000 + at}`, `h2c://127.0.0.1:${4000 + at}`),
        targets: fc.constant({ staging: `https://${name}.staging.example.net` }),
        rewrites: fc.constantFrom<Rewrite[]>([], [{ source: "^/api/", target: "/" }]),
        health: fc.constant({}),
        fallthrough: fc.boolean(),
      }),
    ),
  ),
  domains: fc.constant([
    { domain: "example.com", default_service: "web", routes: [{ path: "^/api/", service: "constructor" }] },
    {
      domain: "api.example.com",
      default_service: "constructor",
      routes: [{ path: "^/auth", service: "__proto__" }],
    },
  ]),
  overrides: fc
    .array(override, { maxLength: 4 })
    .map((all): ConfigOverride[] => all.map((each, i) => ({ name: `o${i}`, ...each }))),
});

const record: fc.Arbitrary<SessionRecord> = fc
  .record({
    config,
    targets: fc.dictionary(serviceName, target),
    switched: fc.dictionary(fc.constantFrom("o0", "o1", "o2"), fc.boolean()),
  })
  .map(({ config, targets, switched }) =>
    newRecord("tunneled", config, {
      name: NAME,
      desired: "running",
      targets,
      overrides: switched,
      worker: { capabilities: [OVERRIDES_CAPABILITY, SESSION_TARGETS_CAPABILITY] } as SessionRecord["worker"],
    }),
  );

const request = fc.record({
  domain,
  path: fc.constantFrom("/", "/api/pay", "/pay", "/auth/v2/x", "/aaa", "/api/v2/x?pay=1"),
  method: fc.constantFrom("GET", "POST", "DELETE"),
  headers: fc.constantFrom<Record<string, string>>(
    {},
    { "x-user": "tester" },
    { "x-user": "ada", "x-none": "1" },
  ),
});

/** What a request meets: the service's path, and where it goes, or what is done with it. */
interface Outcome {
  override: string | undefined;
  service: string;
  target: string;
  place: string;
}

function outcomeOf({ override, service, target, origin, does }: Routed): Outcome {
  const place =
    does === "respond" ? does : service.session === undefined ? origin : `session:${service.session}`;
  return { override, service: service.name, target, place };
}

/** By the Worker: to a place, or through the tunnel to the local server. */
function fromOutside(first: Routed, worker: Routing, local: Routing, head: RequestHead): Outcome {
  const isTunnel = first.service.session === undefined && first.origin === TUNNEL;
  if (!isTunnel) return outcomeOf(first);
  const added = new Map(addedHeaders(NAME, worker, first, head));
  const next: RequestHead = {
    host: "tunnel.example.net",
    target: first.target,
    method: head.method,
    header: (name) => added.get(name) ?? head.header(name),
  };
  return here("tunnel", local, next);
}

function here(listener: "tunnel" | "browser", local: Routing, head: RequestHead): Outcome {
  const sessions = new Map<string, RoutableSession>([[NAME, { name: NAME, session: local }]]);
  const found = decideRequest(
    { get: (name) => sessions.get(name), [Symbol.iterator]: () => sessions.values() },
    listener,
    head,
    () => true,
  );
  if ("publicHost" in found || "failure" in found) throw new Error(JSON.stringify(found));
  return outcomeOf(found.decision);
}

/** Said plainly: the first that is on and whose conditions hold. */
function expectedOverride(
  record: SessionRecord,
  service: string,
  head: RequestHead,
  domain: string,
): string | undefined {
  const path = head.target.split("?")[0]!;
  return record.config.overrides!.find((override) => {
    const { when, service: only, domain: on } = override;
    return (
      isOverrideOn(record, override) &&
      (only === undefined || only === service) &&
      (on === undefined || on === domain) &&
      (when.path === undefined || new RegExp(when.path).test(path)) &&
      (when.methods === undefined || when.methods.includes(head.method!)) &&
      Object.entries(when.headers ?? {}).every(([name, source]) => {
        const value = head.header(name);
        return typeof value === "string" && new RegExp(source).test(value);
      })
    );
  })?.name;
}

const auto = fc.constantFrom<AutoState>("local", "remote", "restarting");

test("a request has one outcome: from outside, from this machine, and as explained", async () => {
  await fc.assert(
    fc.asyncProperty(record, request, auto, async (record, { domain, path, method, headers }, state) => {
      const url = `https://${NAME}.${domain}${path}`;
      const head = headOfUrl(url, headers, method);
      const sent = parseUpsert(JSON.parse(JSON.stringify(upsertRequest(record, undefined))));
      const given = parseSession(JSON.parse(JSON.stringify(servedSession(record).session)));
      if (!sent.ok || !given.ok) throw new Error(JSON.stringify([sent, given]));
      const atTunnel = <T extends { location?: string | undefined }>(each: T): T =>
        each.location !== undefined && isLocal(each.location) ? { ...each, location: TUNNEL } : each;
      const worker = {
        ...sent.value,
        services: sent.value.services.map(atTunnel),
        ...(sent.value.overrides && { overrides: sent.value.overrides.map(atTunnel) }),
      };
      const local = resolveAuto(given.value, () => state);

      const first = route(NAME, worker, head);
      if (first.outcome !== "routed") throw new Error("not routed");
      const outside = fromOutside(first, worker, local, head);
      expect(outside.override).toBe(expectedOverride(record, outside.service, head, domain));
      expect(here("browser", local, head)).toEqual(outside);
      const states = { auto: Object.fromEntries(record.config.services.map(({ local }) => [local, state])) };
      const { decision } = await explain([record], states, url, headers, method);
      expect(decision?.outcome === "routed" && outcomeOf(decision)).toEqual(outside);
      if (outside.override !== undefined) return;
      const {
        name,
        local: own,
        remote,
        targets,
      } = record.config.services.find(({ name }) => name === outside.service)!;
      const wanted = Object.hasOwn(record.targets, name) ? record.targets[name]! : "remote";
      const places: Record<string, string> = {
        remote,
        local: own,
        auto: state === "local" ? own : remote,
        ...targets,
      };
      const place = places[wanted] ?? wanted;
      expect(outside.place).toBe(place.replace(/^h2c/, "http").replace(/(:\d+)\/.*/, "$1"));
    }),
    { numRuns: 400 },
  );
});

test("the content of responses and faults, and fallthrough targets, stay on this machine", () => {
  fc.assert(
    fc.property(record, (record) => {
      const sent = JSON.stringify(upsertRequest(record, undefined));
      expect(sent).not.toMatch(/"(?:does|fallthrough|fallback|respond|fault|delay_ms)"/);
      // Previews are for everybody.
      expect(upsertRequest({ ...record, kind: "preview" }, undefined)).not.toHaveProperty("overrides");
      const old = { ...record, worker: { capabilities: [] as string[] } as SessionRecord["worker"] };
      expect(upsertRequest(old, undefined)).not.toHaveProperty("overrides");
    }),
  );
});
