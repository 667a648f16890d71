import { expect, test } from "vitest";
import { type Routed, route } from "../../core/routing/route-request.ts";
import { parseSession } from "../../core/session/parse-session.ts";
import type { ClientHead } from "../downstream/client.ts";
import { Fields } from "../http/fields.ts";
import type { Served } from "../served-sessions.ts";
import { serviceResponse } from "./downstream-response.ts";
import { type RequestContext, serviceRequest } from "./upstream-request.ts";

/** What becomes of a redirect to this URL by a deployed service that is asked for `/docs`. */
function redirected(location: string, preserve_host: boolean): string | undefined {
  const parsed = parseSession({
    session_token: "owner",
    services: [{ name: "web", location: "https://web.example.net", preserve_host }],
    domains: [{ domain: "example.com", default_service: "web" }],
  });
  if (!parsed.ok) throw new Error(parsed.errors.join());
  const served: Served = {
    name: "slim-gecko",
    session: parsed.value,
    configPath: null,
    overrideActions: new Map(),
    originSecret: null,
    traceKey: null,
  };
  const head: ClientHead = {
    method: "GET",
    host: "slim-gecko.example.com",
    secure: true,
    target: "/docs",
    fields: new Fields([]),
    hasBody: false,
    header: () => undefined,
  };
  const arrival: RequestContext = { listener: "browser", pagePorts: [443] };
  const request = serviceRequest(head, served, route(served.name, served.session, head) as Routed, arrival);
  const response = { status: 301, reason: "", fields: new Fields(["location", location]), hasBody: false };
  const { headers } = serviceResponse(head, served, request, arrival, { ...response, length: 0 });
  return headers[headers.indexOf("location") + 1];
}

test("a redirect of a deployed service to its own address stays in the session", () => {
  expect(redirected("https://web.example.net/docs/", false)).toBe("/docs/");
});

test.each([
  ["unless it insists on that address", "https://web.example.net/docs", false],
  ["unless it was asked at the session's", "https://web.example.net/docs/", true],
  ["and no other does", "https://www.example.net/docs/", false],
])("%s", (_, location, preserveHost) => {
  expect(redirected(location, preserveHost)).toBe(location);
});
