import { describe, expect, test } from "vitest";
import type { Connector } from "../../model/connector.ts";
import { newConnector } from "../../model/connector.ts";
import { tunnelToken } from "../../model/tunnel-token.ts";
import { onPath } from "./cloudflared-binary.ts";
import { connectorEnv } from "./connector-process.ts";
import { probeResultOf } from "./end-to-end.ts";
import { readLog, recentErrors, unknownFlag } from "./log-lines.ts";
import { nextAction } from "./watch.ts";

test("a token is what cloudflared reads", () => {
  const token = tunnelToken({
    account_id: "account",
    name: "tunnel-slim-gecko",
    url: "https://tunnel-slim-gecko.example.com",
    id: "tunnel",
    secret: "c2VjcmV0",
    last_started: 0,
  });
  expect(JSON.parse(Buffer.from(token, "base64").toString())).toEqual({
    a: "account",
    s: "c2VjcmV0",
    t: "tunnel",
  });
});

describe("what cloudflared says, recorded", () => {
  test("a good start", () => {
    const log = readLog(
      `{"level":"info","message":"Starting tunnel tunnelID=7c1f","time":"2026-11-20T04:00:00Z"}
{"level":"info","message":"Version 2026.8.2 (Checksum 5f2c)","time":"2026-11-20T04:00:00Z"}
{"level":"info","message":"Starting metrics server on 127.0.0.1:43159/metrics","time":"2026-11-20T04:00:00Z"}
{"connIndex":0,"ip":"198.51.100.7","level":"info","location":"fra08","message":"Registered tunnel connection","protocol":"http2","time":"2026-11-20T04:00:01Z"}`,
    );
    expect(log).toEqual({ metricsPort: 43159, unauthorized: false, lastError: undefined });
  });

  test("plain lines among JSON, and lines without a message", () => {
    const log = readLog(
      `2026/11/20 04:00:00 maxprocs: Leaving GOMAXPROCS=2: CPU quota undefined
{"error":"Unable to reach the origin service: dial tcp 127.0.0.1:9: connect: connection refused","level":"error","time":"2026-11-20T04:00:02Z"}`,
    );
    expect(log.lastError).toBe(
      ": Unable to reach the origin service: dial tcp 127.0.0.1:9: connect: connection refused",
    );
  });

  test("a refused token, until it is accepted after all", () => {
    const refused = `{"connIndex":0,"error":"Unauthorized: Failed to get tunnel","level":"error","message":"Register tunnel error from server side","time":"2026-11-20T04:00:00Z"}`;
    expect(readLog(refused).unauthorized).toBe(true);
    const accepted = `${refused}\n{"level":"info","message":"Registered tunnel connection","connIndex":0}`;
    expect(readLog(accepted).unauthorized).toBe(false);
  });

  test("a refused token, said in plain text", () => {
    const line = `2026-11-20T04:00:00Z ERR Register tunnel error from server side error="Unauthorized: Invalid tunnel secret" connIndex=0`;
    expect(readLog(line).unauthorized).toBe(true);
  });

  test("an error of the registration that is no refusal", () => {
    const line = `{"error":"there are no free edge addresses left","level":"error","message":"Register tunnel error from server side"}`;
    expect(readLog(line)).toMatchObject({
      unauthorized: false,
      lastError: "Register tunnel error from server side: there are no free edge addresses left",
    });
  });

  test.each([
    "Provided Tunnel token is not valid.",
    "Incorrect Usage. flag provided but not defined: -config",
    "Could not lookup srv records on _v2-origintunneld._tcp.argotunnel.com: no such host",
  ])("%s", (line) => expect(readLog(`${line}\n`).lastError).toBe(line));
});

describe("the errors that a problem names", () => {
  const line = (second: number, message: string, error?: string) =>
    JSON.stringify({ level: "error", message, error, time: `2026-11-20T04:00:${second}Z` });

  test("are those of the last seconds, each once, without JSON", () => {
    const log = [
      line(10, "Failed to dial a quic connection", "timeout"),
      line(41, "Unable to establish connection with Cloudflare edge", "connection refused"),
      line(42, "Retrying connection in up to 2s"),
      line(43, "Unable to establish connection with Cloudflare edge", "connection refused"),
      "failed to register tunnel: no free edge addresses.",
    ].join("\n");
    expect(recentErrors(log)).toEqual([
      "Unable to establish connection with Cloudflare edge: connection refused",
      "failed to register tunnel: no free edge addresses",
    ]);
  });

  test("have no message of their own for origins", () => {
    expect(recentErrors(line(10, "", "dial tcp 127.0.0.1:9: connect: connection refused"))).toEqual([
      "dial tcp 127.0.0.1:9: connect: connection refused",
    ]);
    expect(recentErrors("")).toEqual([]);
  });

  test("a flag that is not known shows a cloudflared that is too old", () => {
    expect(unknownFlag("Incorrect Usage. flag provided but not defined: -output")).toBe("output");
    expect(unknownFlag("Incorrect Usage.")).toBeUndefined();
  });
});

describe("where cloudflared may be", () => {
  test("on Windows, whose variables have no case", () => {
    const env = { HOME: "x", Path: 'C:\\bin;;"C:\\Program Files\\cloudflared"' };
    expect(onPath(env, "win32")).toEqual([
      "C:\\bin\\cloudflared.exe",
      "C:\\Program Files\\cloudflared\\cloudflared.exe",
    ]);
  });

  test("elsewhere", () => {
    expect(onPath({ Path: "/no", PATH: "/usr/bin::/opt/bin" }, "linux")).toEqual([
      "/usr/bin/cloudflared",
      "/opt/bin/cloudflared",
    ]);
    expect(onPath({}, "darwin")).toEqual([]);
  });
});

test("of cloudflared's variables only those get through that say how it gets to Cloudflare", () => {
  const env = {
    PATH: "/bin",
    TUNNEL_EDGE: "127.0.0.1:7844",
    TUNNEL_CACERT: "/ca.pem",
    TUNNEL_TRANSPORT_PROTOCOL: "http2",
    TUNNEL_NO_PRECHECKS: "true",
  };
  const foreign = {
    TUNNEL_TOKEN_FILE: "/t",
    TUNNEL_URL: "http://x",
    TUNNEL_LOGFILE: "/l",
    TUNNEL_EDGE_OTHER: "x",
  };
  expect(connectorEnv({ ...env, ...foreign })).toEqual(env);
});

describe("what an answer from beyond the tunnel says", () => {
  test.each([
    [508, "through"],
    [502, "lost"],
    [530, "lost"],
    [524, "lost"],
    [200, "unknown"],
    [404, "unknown"],
    [500, "unknown"],
  ])("%d: %s", (status, result) => expect(probeResultOf(status, true)).toBe(result));

  test("508 without proof comes from a hop before the tunnel: unknown", () => {
    expect(probeResultOf(508, false)).toBe("unknown");
  });
});

describe("when cloudflared is replaced", () => {
  const running = (more: Partial<Connector>): Connector => ({
    ...newConnector(),
    started: 0,
    unready_since: 0,
    ...more,
  });
  test.each<[string, Partial<Connector>, boolean, number, string]>([
    ["ready", { was_ready: true }, true, 100_000, "nothing"],
    ["just started", {}, false, 19_000, "nothing"],
    ["QUIC without an answer", {}, false, 21_000, "replace"],
    ["HTTP/2 without an answer", { protocol: "http2" }, false, 21_000, "nothing"],
    ["nothing in 45 s", { protocol: "http2" }, false, 46_000, "fail"],
    ["ready, one request lost", { was_ready: true, lost: 1 }, true, 100_000, "nothing"],
    ["ready, and requests get lost", { was_ready: true, reached: true, lost: 2 }, true, 100_000, "fail"],
    ["ready, and never reached", { was_ready: true, lost: 20 }, true, 100_000, "nothing"],
    ["just lost its connections", { was_ready: true, unready_since: 60_000 }, false, 68_000, "nothing"],
    ["lost its connections for long", { was_ready: true, unready_since: 60_000 }, false, 70_000, "fail"],
    ["QUIC by its user's wish", { protocol: "given" }, false, 21_000, "nothing"],
    [
      "the network just changed",
      { was_ready: true, unready_since: 60_000, changed_at: 60_000 },
      false,
      64_000,
      "nothing",
    ],
    [
      "not back after a change",
      { was_ready: true, unready_since: 60_000, changed_at: 61_000 },
      false,
      67_000,
      "fail",
    ],
    ["never there, and a change", { changed_at: 10_000 }, false, 16_000, "fail"],
    [
      "lost long after a change",
      { was_ready: true, unready_since: 60_000, changed_at: 1_000 },
      false,
      64_000,
      "nothing",
    ],
    ["a change before it was started", { started: 5_000, changed_at: 1_000 }, false, 12_000, "nothing"],
    ["ready after a change", { was_ready: true, changed_at: 10_000 }, true, 60_000, "nothing"],
  ])("%s", (_, connector, ready, now, expected) =>
    expect(nextAction(running(connector), ready, now).do).toBe(expected),
  );
});
