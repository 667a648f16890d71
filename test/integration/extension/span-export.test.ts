/** The setting `linkup.otlp.endpoint`, with a collector that listens. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeEach, expect, onTestFinished, test } from "vitest";
import type * as vscode from "vscode";
import type { Exchange, FollowedExchange } from "../../../core/api/request-log-api.ts";
import type { Linkup } from "../../../extension/linkup.ts";
import { registerRequests } from "../../../extension/requests/register-requests.ts";
import type { RequestFeed } from "../../../extension/requests/request-feed.ts";
import { SpanExport } from "../../../extension/requests/span-export.ts";
import { decodedSpans } from "../../support/otlp.ts";
import { editor, resetEditor } from "../../support/vscode.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const bodies: { url: string; body: Buffer }[] = [];
const collector = createServer(async (request, response) => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  bodies.push({ url: request.url!, body: Buffer.concat(parts) });
  response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
}).listen(0, "127.0.0.1");
await once(collector, "listening");
const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
afterAll(() => collector.close());
beforeEach(() => {
  resetEditor();
  bodies.length = 0;
});

const exchange = {
  id: 1,
  time: 1_700_000_000_000,
  listener: "browser",
  secure: true,
  method: "GET",
  client_host: "slim-gecko.example.com",
  target: "/pay?token=***",
  session: "slim-gecko",
  service: "api",
  at: "remote",
  url: "https://api.example.com/pay",
  state: "complete",
  status: 200,
  failure: null,
  broken: null,
  timings: { queue: 0, connect: null, first_byte: 5, total: 8 },
  lost_from: null,
  trace: TRACE,
  span: null,
  trace_began: false,
  edge: { after: true, time: 1_700_000_000_002, first_byte: 2, total: 4, status: 200, url: null },
} as unknown as Exchange;

/** A window whose local server tells this one exchange, in these states. */
function open(...states: Exchange[]): { followed(): number } {
  const subscriptions: vscode.Disposable[] = [];
  let follows = 0;
  const requestLog = {
    status: async () => ({ started: 1 }),
    logSettings: async () => ({ recording: true, body_bytes: 0 }),
    followRequests: async (_filter: object, take: (line: FollowedExchange) => void, signal: AbortSignal) => {
      follows++;
      for (const state of states.length > 0 ? states : [exchange]) {
        take(state);
        // Longer than spans are collected.
        if (states.length > 0) await new Promise((resolve) => setTimeout(resolve, 1_700));
      }
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  };
  const linkup = {
    manager: Promise.resolve({ requestLog }),
    model: { snapshot: { sessions: [] }, configs: [] },
    onDidChange: () => ({ dispose() {} }),
    // A window with a linkup.yaml.
    onDidUse(listener: () => void) {
      listener();
      return { dispose() {} };
    },
    showRequestCounts() {},
    log: { debug() {}, warn() {} },
  } as unknown as Linkup;
  registerRequests({ subscriptions } as unknown as vscode.ExtensionContext, linkup);
  onTestFinished(() => {
    for (const subscription of subscriptions.splice(0)) subscription.dispose();
  });
  return { followed: () => follows };
}

test("each hop is a span at the collector, the second below the first", async () => {
  editor.settings.set("linkup.otlp.endpoint", endpoint);
  open();
  await expect.poll(() => bodies.length).toBe(1);
  expect(bodies[0]!.url).toBe("/v1/traces");
  const [first, second, ...others] = decodedSpans(bodies[0]!.body);
  expect(others).toEqual([]);
  expect(first).toMatchObject({ resource: "linkup-local-server", trace: TRACE, service: "api" });
  expect(second).toMatchObject({ resource: "linkup-worker", trace: TRACE, parent: first!.id });
  expect(first!.name).toBe("GET /pay");
});

test("requests that came before the exporter was loaded are sent", async () => {
  const feed = { received: [exchange], onDidChange: () => ({ dispose() {} }) } as unknown as RequestFeed;
  const spans = new SpanExport(feed, endpoint, {} as Linkup);
  onTestFinished(() => spans.dispose());
  await expect.poll(() => bodies.length).toBe(1);
  expect(decodedSpans(bodies[0]!.body).map(({ name }) => name)).toEqual(["GET /pay", "GET /pay"]);
});

test("the Worker's hop is the first of the two, however late it is told", async () => {
  editor.settings.set("linkup.otlp.endpoint", endpoint);
  const begun = { listener: "tunnel", span: "b7ad6b7169203331", trace_began: true } as const;
  const edge = { ...exchange.edge!, after: false, time: exchange.time - 2, total: null };
  open({ ...exchange, ...begun, edge: null }, { ...exchange, ...begun, edge });
  await expect.poll(() => bodies.length).toBe(1);
  const [first, second] = decodedSpans(bodies[0]!.body);
  expect(first).toMatchObject({ resource: "linkup-worker", id: begun.span });
  expect(second).toMatchObject({ resource: "linkup-local-server", parent: begun.span });
});

test("nothing is followed or sent without the setting, and in a window that is not trusted", async () => {
  const without = open();
  editor.settings.set("linkup.otlp.endpoint", endpoint);
  editor.trusted = false;
  const untrusted = open();
  await new Promise(setImmediate);
  expect([without.followed(), untrusted.followed(), bodies.length]).toEqual([0, 0, 0]);
});
