import fc from "fast-check";
import { expect, test } from "vitest";
import { route } from "../../core/routing/route-request.ts";
import { parseSession } from "../../core/session/parse-session.ts";
import type { ClientHead } from "../downstream/client.ts";
import { Fields, FieldsCache } from "../http/fields.ts";
import type { Served } from "../served-sessions.ts";
import { type RequestContext, serviceRequest } from "./upstream-request.ts";

function served(name: string, secrets: Pick<Served, "originSecret" | "traceKey">, preserve = false): Served {
  const parsed = parseSession({
    session_token: "owner",
    services: [
      { name: "web", location: "http://localhost:4000", preserve_host: preserve },
      { name: "api", location: "https://api.example.net" },
    ],
    domains: [
      { domain: "example.com", default_service: "web", routes: [{ path: "^/api", service: "api" }] },
      { domain: "example.org", default_service: "web" },
    ],
  });
  if (!parsed.ok) throw new Error(parsed.errors.join());
  return { name, session: parsed.value, configPath: null, overrideActions: new Map(), ...secrets };
}

const SESSIONS = [
  served("slim-gecko", { originSecret: null, traceKey: null }),
  served("slim-gecko", { originSecret: "secret", traceKey: "k".repeat(64) }),
  served("bold-yak", { originSecret: null, traceKey: null }, true),
];
const ARRIVALS: RequestContext[] = [
  { listener: "browser", pagePorts: [443] },
  { listener: "tunnel", pagePorts: [443] },
];
const trace = (id: string) => `00-${id.padStart(32, "a")}-${"b".repeat(16)}-01`;

/** Name and values. */
const HEADERS: [string, string[]][] = [
  ["traceparent", [trace("1"), trace("2"), `00-${"0".repeat(32)}-${"b".repeat(16)}-01`]],
  ["Traceparent", [trace("3")]],
  ["origin", ["https://slim-gecko.example.com", "https://evil.example"]],
  ["referer", ["https://slim-gecko.example.com/a"]],
  ["x-forwarded-host", ["slim-gecko.example.com", "bold-yak.example.org"]],
  ["linkup-destination", ["api", "web"]],
  ["cookie", ["a=1"]],
  ["te", ["trailers"]],
];
const line = fc
  .constantFrom(...HEADERS)
  .chain(([name, values]) => fc.constantFrom(...values).map((value) => [name, value]));

test("what was made of the same lines before is used for none that it would not be made for", () => {
  const request = fc.record({
    served: fc.constantFrom(...SESSIONS),
    arrival: fc.constantFrom(...ARRIVALS),
    host: fc.constantFrom("slim-gecko.example.com", "bold-yak.example.org", "localhost:4000"),
    secure: fc.boolean(),
    target: fc.constantFrom("/", "/api"),
    headers: fc.array(line, { maxLength: 2 }).map((lines) => lines.flat()),
    hasBody: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 30 }), (requests) => {
      const cache = new FieldsCache();
      for (const { served, arrival, host, secure, target, headers, hasBody } of requests) {
        const made = (fields: Fields) => {
          const header = (name: string) => fields.get(name);
          const head: ClientHead = { method: "GET", host, secure, target, fields, hasBody, header };
          const decision = route(served.name, served.session, head);
          if (decision.outcome !== "routed") return undefined;
          const { lines, traceparent, ...rest } = serviceRequest(head, served, decision, arrival);
          // A trace that begins here has another id each time.
          const own = traceparent === fields.get("traceparent") ? traceparent : "new";
          return { ...rest, raw: lines.raw(own), http1: lines.http1(own) };
        };
        expect(made(cache.intern(headers))).toEqual(made(new Fields(headers)));
      }
    }),
    { numRuns: 200 },
  );
});
