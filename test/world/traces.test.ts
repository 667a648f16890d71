/**
 * Services with OpenTelemetry's SDKs call one another by hosts that name no session: what the SDK extracts and injects
 * leads the call to the session's copy, and no trace is switched off or torn.
 */
import http from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type StartedService, startService } from "../integration/worker/world.ts";
import { reservedPort } from "../support/ports.ts";
import { type App, PYTHON, RESOLVE, startApp } from "./app.ts";
import { Chain, DOMAIN, WAYS, type Way } from "./chain.ts";

/** Nobody collects here: what is exported stays in memory. */
const NO_COLLECTOR = { OTEL_METRICS_EXPORTER: "none", OTEL_LOGS_EXPORTER: "none" };
const node = (propagators: string) => ({
  folder: "traces",
  argv: () => [process.execPath, `--import=${RESOLVE}`, "node.cjs"],
  env: { ...NO_COLLECTOR, OTEL_PROPAGATORS: propagators },
});
const python = (framework: string, propagators: string) => ({
  folder: "traces",
  argv: () => [PYTHON ?? "python3", "python.py", framework],
  env: { ...NO_COLLECTOR, OTEL_PROPAGATORS: propagators },
});
/** What SDKs propagate: both by default. */
const CALLERS = [
  { name: "js", clients: ["http", "fetch"], command: node("tracecontext,baggage") },
  { name: "js-tracecontext", clients: ["http", "fetch"], command: node("tracecontext") },
  { name: "js-baggage", clients: ["http", "fetch"], command: node("baggage") },
  { name: "flask", clients: ["requests"], command: python("flask", "tracecontext,baggage") },
  { name: "flask-tracecontext", clients: ["requests"], command: python("flask", "tracecontext") },
  { name: "flask-baggage", clients: ["requests"], command: python("flask", "baggage") },
  { name: "fastapi", clients: ["requests"], command: python("fastapi", "tracecontext,baggage") },
];

interface Seen {
  service: string;
  headers: Record<string, string | undefined>;
}

let chain: Chain;
let called: StartedService;
const ports = new Map<string, number>();

beforeAll(async () => {
  called = await startService("the session's copy");
  for (const { name } of CALLERS) ports.set(name, await reservedPort());
  const services = Object.fromEntries(
    CALLERS.map(({ name }) => [name, `http://localhost:${ports.get(name)}`]),
  );
  chain = await Chain.start({ ...services, called: called.url });
});
afterAll(async () => {
  await chain?.stop();
  await called?.stop();
});

const needsPython = ({ argv }: (typeof CALLERS)[number]["command"]) => argv()[0] !== process.execPath;

for (const { name, clients, command } of CALLERS) {
  describe.skipIf(needsPython(command) && !PYTHON)(`OpenTelemetry ${name}`, () => {
    let app: App;
    beforeAll(async () => {
      app = await startApp(name, ports.get(name)!, command);
    });
    afterAll(() => app?.stop());

    const call = async (way: Way, client: string, headers: Record<string, string> = {}): Promise<Seen> => {
      const url = encodeURIComponent(`http://called.${DOMAIN}:${chain.port(way)}/api`);
      const { status, body } = await chain.ask(way, name, `/call?client=${client}&url=${url}`, { headers });
      expect([status, body]).toEqual([200, expect.stringContaining("the session's copy")]);
      return JSON.parse(body);
    };

    describe.each(WAYS)("%s", (way) => {
      test.each(clients)("a call by %s reaches the session's copy", async (client) => {
        const { service, headers } = await call(way, client);
        expect(service).toBe("the session's copy");
        expect(headers.tracestate).toContain(`linkup-session=${chain.session(way)}`);
        expect(headers.baggage).toContain(`linkup-session=${chain.session(way)}`);
      });

      // With baggage alone no trace is taken up.
      if (!name.endsWith("-baggage"))
        test.each(clients)("a client's trace goes on through it by %s, and is recorded", async (client) => {
          const trace = crypto.randomUUID().replaceAll("-", "");
          const { headers } = await call(way, client, {
            traceparent: `00-${trace}-00f067aa0ba902b7-01`,
            tracestate: "vendor=kept",
            baggage: "user=Ada",
          });
          expect(headers.traceparent).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
          expect(headers.tracestate).toContain("vendor=kept");
          if (!name.endsWith("-tracecontext")) expect(headers.baggage).toContain("user=Ada");
          const recorded = async () => {
            const spans: string[] = JSON.parse((await chain.ask(way, name, "/spans")).body);
            return spans.filter((id) => id === trace).length;
          };
          // Its own part, and the call.
          await expect.poll(recorded, { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
        });
    });
  });
}

describe("a private session", () => {
  const services = CALLERS.filter(({ command }) => PYTHON || !needsPython(command));
  const apps: App[] = [];
  let forgetful: StartedService;
  let closed: Chain;

  beforeAll(async () => {
    forgetful = await startService("forgetful", ({ url = "" }, response) => {
      const wanted = new URL(url, "http://x").searchParams.get("url");
      if (wanted === null) return response.end();
      const { host, port, pathname } = new URL(wanted);
      const called = { hostname: "127.0.0.1", port, path: pathname, headers: { host } };
      http.get(called, (answer) => response.writeHead(answer.statusCode!).end());
    });
    const locations: Record<string, string> = { called: called.url, forgetful: forgetful.url };
    for (const { name, command } of services) {
      const port = await reservedPort();
      locations[name] = `http://localhost:${port}`;
      apps.push(await startApp(name, port, command));
    }
    closed = await Chain.start(locations, { linkup: "  access: private\n" });
  });
  afterAll(async () => {
    await Promise.all(apps.map((app) => app.stop()));
    await closed?.stop();
    await forgetful?.stop();
  });

  describe.each(["direct", "cloudflare"] as const)("%s", (way) => {
    let token: string;
    beforeAll(async () => {
      token = await closed.accessToken(way);
    });
    const call = (name: string, host: string, client = "") => {
      const url = encodeURIComponent(`http://${host}/api`);
      return closed.ask(way, name, `/call?client=${client}&url=${url}`, {
        headers: { "linkup-access": token },
      });
    };

    test("nobody calls without a proof", async () => {
      expect((await closed.ask(way, "called", "/api")).status).toBe(401);
    });

    for (const { name, clients } of services)
      test.each(clients)(`what OpenTelemetry ${name} passes on lets its calls by %s in`, async (client) => {
        const { status, body } = await call(name, `called.${DOMAIN}:${closed.port(way)}`, client);
        expect([status, body]).toEqual([200, expect.stringContaining("the session's copy")]);
        expect((JSON.parse(body) as Seen).headers["linkup-access"]).toBeUndefined();
      });

    test("a service that passes nothing on is not let in, though it names the session", async () => {
      expect((await call("forgetful", closed.host(way, "called"))).status).toBe(401);
    });
  });
});
