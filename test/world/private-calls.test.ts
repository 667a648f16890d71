/**
 * Services of a private session with OpenTelemetry's SDKs call one another through the Worker: what the SDK propagates lets the
 * call in, and a service that propagates nothing is refused as strangers are.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type StartedService, startService } from "../integration/worker/world.ts";
import { reservedPort } from "../support/ports.ts";
import { type App, PYTHON, RESOLVE, startApp } from "./app.ts";
import { Chain, DOMAIN } from "./chain.ts";

const env = (propagators: string) => ({
  OTEL_METRICS_EXPORTER: "none",
  OTEL_LOGS_EXPORTER: "none",
  OTEL_PROPAGATORS: propagators,
});
const node = (propagators: string) => ({
  folder: "traces",
  argv: () => [process.execPath, `--import=${RESOLVE}`, "node.cjs"],
  env: env(propagators),
});
const python = (propagators: string) => ({
  folder: "traces",
  argv: () => [PYTHON ?? "python3", "python.py", "flask"],
  env: env(propagators),
});
const CALLERS = [
  { name: "js", clients: ["http", "fetch"], command: node("tracecontext,baggage") },
  { name: "js-tracecontext", clients: ["http", "fetch"], command: node("tracecontext") },
  { name: "js-baggage", clients: ["http", "fetch"], command: node("baggage") },
  { name: "js-none", clients: ["http", "fetch"], command: node("none") },
  ...(PYTHON
    ? [
        { name: "flask", clients: ["requests"], command: python("tracecontext,baggage") },
        { name: "flask-none", clients: ["requests"], command: python("none") },
      ]
    : []),
];
const PRIVATE = "  access: private\n";

let chain: Chain;
let called: StartedService;
const apps: App[] = [];

beforeAll(async () => {
  called = await startService("the session's copy");
  const locations: Record<string, string> = { called: called.url };
  for (const { name, command } of CALLERS) {
    const app = await startApp(name, await reservedPort(), command);
    apps.push(app);
    locations[name] = app.url;
  }
  chain = await Chain.start(locations, { linkup: PRIVATE });
});
afterAll(async () => {
  await chain?.stop();
  await Promise.all(apps.map((app) => app.stop()));
  await called?.stop();
});

describe.each(["direct", "cloudflare"] as const)("%s", (way) => {
  let token = "";
  beforeAll(async () => {
    token = await chain.invite(way);
  });
  const call = (caller: string, client: string, host: string, headers: Record<string, string>) =>
    chain.ask(way, caller, `/call?client=${client}&url=${encodeURIComponent(`http://${host}/api`)}`, {
      headers,
    });

  for (const { name, clients } of CALLERS) {
    test.each(clients)(`OpenTelemetry ${name}, by %s`, async (client) => {
      expect((await call(name, client, chain.host(way, "called"), {})).status).toBe(401);

      const headers = { "linkup-access": token };
      const { status, body } = await call(name, client, chain.host(way, "called"), headers);
      expect(status).toBe(200);
      if (name.endsWith("-none")) {
        expect(body).toContain("Only people who were invited can open the session");
        return;
      }
      expect(body).toContain("the session's copy");
      expect(body).not.toContain(token);
      // By a host that names no session as well.
      const shared = await call(name, client, `called.${DOMAIN}:${chain.port(way)}`, headers);
      expect(shared.body).toContain("the session's copy");
    });
  }
});
