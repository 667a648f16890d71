import { expect, test } from "vitest";
import { route } from "../../core/routing/route-request.ts";
import { parseSession } from "../../core/session/parse-session.ts";
import type { Client, RequestBodyReader } from "../downstream/client.ts";
import { Fields } from "../http/fields.ts";
import type { Served } from "../served-sessions.ts";
import type { StreamCallback } from "../upstream/http2-origin.ts";
import type { Pool } from "../upstream/pool.ts";
import type { ResponseHandler, UpstreamStream } from "../upstream/upstream-stream.ts";
import type { ExchangeRecorder } from "./exchange-recorder.ts";
import { forward } from "./forward.ts";

/** A request to a service whose local copy answers 404, on its way to the other copy. */
function fallingThrough(method: string) {
  const parsed = parseSession({
    session_token: "owner",
    services: [{ name: "web", location: "http://localhost:4000", fallthrough: "https://web.example.net" }],
    domains: [{ domain: "example.com", default_service: "web" }],
  });
  if (!parsed.ok) throw new Error(parsed.errors.join());
  const events: string[] = [];
  const note = (name: string) => () => void events.push(name);
  const readers: RequestBodyReader[] = [];
  const client: Client = {
    method,
    protocol: "HTTP/2",
    host: "slim-gecko.example.com",
    target: "/",
    secure: false,
    fields: new Fields([]),
    hasBody: method === "POST",
    header: () => undefined,
    onGone() {},
    onDrain() {},
    read: (reader) => readers.push(reader),
    pause: note("pause"),
    resume: note("resume"),
    inform() {},
    respond: ({ status }) => events.push(String(status)),
    flush() {},
    write: () => true,
    end: note("end"),
    break: note("break"),
  };
  const recorder = {
    decided() {},
    nextHop: () => undefined,
    sentOn() {},
    connected() {},
    fellBack() {},
    refused() {},
    received() {},
    aborted() {},
    sent: note("sent"),
    end() {},
  } as unknown as ExchangeRecorder;
  const copies: StreamCallback[] = [];
  const pool = {
    acquire: (_origin: string, _requirements: unknown, done: StreamCallback) => {
      copies.push(done);
      return () => {};
    },
  } as unknown as Pool;
  const served = { name: "slim-gecko", session: parsed.value, originSecret: null, traceKey: null } as Served;
  const decision = route(served.name, served.session, client);
  if (decision.outcome !== "routed") throw new Error("not routed");
  const arrival = { listener: "browser" as const, pagePorts: [] };
  forward(client, recorder, served, decision, arrival, {
    pool,
    tunnels: new Set(),
    localCopies: { refused() {} },
  });
  let handler: ResponseHandler | undefined;
  const stream: UpstreamStream = {
    request: (_request, to) => {
      handler = to;
    },
    write: () => true,
    finish() {},
    pause() {},
    resume() {},
    abort() {},
  };
  copies[0]!(undefined, stream);
  handler!.head({ status: 404, reason: "", fields: new Fields([]), hasBody: false, length: 0 });
  return { events, readers, other: copies[1]! };
}

test("a request without a body is not paused", () => {
  expect(fallingThrough("GET").events).toEqual([]);
});

test("where the other copy cannot be reached, the rest of the body is dropped", () => {
  const { events, readers, other } = fallingThrough("POST");
  expect(events).toEqual(["pause"]);
  other(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }), undefined);
  expect(events).toEqual(["pause", "resume", "502", "end"]);
  readers[0]!.data(Buffer.alloc(10));
  expect(events).not.toContain("sent");
});
