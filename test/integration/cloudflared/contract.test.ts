// What Linkup relies on in cloudflared: with the real one where there is one, else with the stand-in.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectorArguments } from "../../../manager/components/tunnel/connector-process.ts";
import { readLog } from "../../../manager/components/tunnel/log-lines.ts";
import { tunnelToken } from "../../../manager/model/tunnel-token.ts";
import { temporaryFolder, until } from "../manager/world.ts";
import { Edge } from "./edge.ts";
import { REAL_CLOUDFLARED } from "./real-cloudflared.ts";

/** Where nobody is. */
const NOWHERE = "127.0.0.1:9";
const tunnel = {
  account_id: "account",
  name: "tunnel-slim-gecko",
  url: "https://tunnel-slim-gecko.example.com",
  id: randomUUID(),
  secret: randomBytes(32).toString("base64"),
  last_started: 0,
};

let folder: string;
let config: string;
let children: ChildProcess[];
beforeEach(() => {
  folder = temporaryFolder("linkup-cloudflared-");
  config = join(folder, "tunnel.yml");
  writeFileSync(config, "ingress:\n  - service: http://127.0.0.1:9\n");
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
});

interface Run {
  args?: string[];
  env?: NodeJS.ProcessEnv;
}

function run({ args = connectorArguments("http2", config), env = {} }: Run = {}) {
  const standIn = join(import.meta.dirname, "stand-in.mjs");
  const [command, ...before] = REAL_CLOUDFLARED ? [REAL_CLOUDFLARED] : [process.execPath, standIn];
  const child = spawn(command!, [...before, ...args], {
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      TUNNEL_TOKEN: tunnelToken(tunnel),
      TUNNEL_EDGE: NOWHERE,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  const said = { out: "", err: "" };
  child.stdout.on("data", (chunk) => {
    said.out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    said.err += chunk;
  });
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, ...said }));
  return { child, said, ended, metricsPort: () => until("its metrics", () => readLog(said.err).metricsPort) };
}

async function ready(port: number): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`http://127.0.0.1:${port}/ready`);
  return { status: answer.status, body: await answer.json() };
}

describe("ends at once, and says why", () => {
  test("an invalid token: 255, in plain text", async () => {
    const { code, err } = await run({ env: { TUNNEL_TOKEN: "bm9uZQ==" } }).ended;
    expect(code).toBe(255);
    expect(readLog(err).lastError).toContain("Provided Tunnel token is not valid");
  });

  test("no tunnel: 255", async () => {
    const { code, err } = await run({ env: { TUNNEL_TOKEN: undefined } }).ended;
    expect(code).toBe(255);
    expect(err).toContain("requires the ID or name of the tunnel to run");
  });

  test("ingress without a last rule for everything: 1", async () => {
    writeFileSync(config, "ingress:\n  - hostname: a.example.com\n    service: http://127.0.0.1:9\n");
    const { code, err, out } = await run().ended;
    expect(code).toBe(1);
    expect(err + out).toContain("The last ingress rule must match all URLs");
  });

  test("an unknown flag: 0, which is no success", async () => {
    const { code, out, err } = await run({ args: ["tunnel", "--no-such-flag", "run"] }).ended;
    expect(code).toBe(0);
    expect(out + err).toContain("Incorrect Usage");
  });

  test("its metrics' port taken: 1", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const args = connectorArguments("http2", config).map((word) =>
      word.replace("127.0.0.1:0", `127.0.0.1:${port}`),
    );
    const { code, err } = await run({ args }).ended;
    taken.close();
    expect(code).toBe(1);
    expect(err).toMatch(/Error opening metrics server listener.*address already in use/);
  });
});

describe("with our arguments, and nobody at the edge", () => {
  test("it says where its metrics are, and /ready is 503", async () => {
    const { metricsPort, said } = run();
    const { status, body } = await ready(await metricsPort());
    expect(status).toBe(503);
    expect(body).toMatchObject({ status: 503, readyConnections: 0 });
    expect(said.out + said.err).not.toContain(tunnel.secret);
  });

  test("SIGTERM ends it with 0", async () => {
    const { child, metricsPort, ended } = run();
    await metricsPort();
    child.kill("SIGTERM");
    const { code, err } = await ended;
    expect(code).toBe(0);
    expect(err).toContain("Initiating graceful shutdown due to signal terminated");
  });

  test("when nobody reads what it says it ends, at its next line", async () => {
    const { child, metricsPort } = run();
    await metricsPort();
    child.stderr!.destroy();
    const [code, signal] = await once(child, "exit");
    expect([141, "SIGPIPE"]).toContain(signal ?? code);
  });
});

describe("with an edge", () => {
  let edge: Edge;
  beforeEach(async () => {
    edge = await Edge.start();
    edge.createTunnel(tunnel.id, tunnel.secret);
  });
  afterEach(() => edge.stop());
  const connect = () => run({ env: edge.environment });

  test("/ready is 200 as soon as it is registered", async () => {
    const { metricsPort, said } = connect();
    const port = await metricsPort();
    await until("readiness", async () => (await ready(port)).status === 200);
    expect((await ready(port)).body).toMatchObject({ status: 200, readyConnections: expect.any(Number) });
    expect(said.err).toContain('"message":"Registered tunnel connection"');
  });

  test("a refused token is tried for ever", async () => {
    edge.deleteTunnel(tunnel.id);
    const { child, said } = connect();
    const refusals = () => said.err.split("Register tunnel error from server side").length - 1;
    await until("several tries", () => refusals() >= 3);
    expect(readLog(said.err).unauthorized).toBe(true);
    expect(child.exitCode).toBeNull();
  });

  test("what else is refused at the first connection ends it with 1", async () => {
    edge.refusal = "there are no free edge addresses left to resolve to";
    const { code, err } = await connect().ended;
    expect(code).toBe(1);
    expect(readLog(err)).toMatchObject({
      unauthorized: false,
      lastError: expect.stringContaining(edge.refusal),
    });
  });

  describe("and a request under way", () => {
    test.each([
      ["SIGTERM waits for it, not ready meanwhile, and ends with 0", 1, 0],
      ["a second SIGTERM does not: 143", 2, 143],
    ])("%s", async (_, signals, expected) => {
      const { promise: arrived, resolve: arrive } = Promise.withResolvers<() => void>();
      const origin = createHttpServer((_request, response) => arrive(() => response.end("answered")));
      origin.listen(0, "127.0.0.1");
      await once(origin, "listening");
      writeFileSync(
        config,
        `ingress:\n  - service: http://127.0.0.1:${(origin.address() as AddressInfo).port}\n`,
      );
      const { child, metricsPort, ended } = connect();
      const port = await metricsPort();
      await until("readiness", async () => (await ready(port)).status === 200);
      const asked = { method: "GET", authority: "a.example.com", path: "/", headers: {} };
      const answer = edge.request(tunnel.id, asked, Buffer.alloc(0));
      const finish = await arrived;
      child.kill("SIGTERM");
      await until("not ready", async () => (await ready(port)).status === 503);
      if (signals === 2) child.kill("SIGTERM");
      else {
        finish();
        expect(await answer).toMatchObject({ status: 200, body: Buffer.from("answered") });
      }
      expect((await ended).code).toBe(expected);
      origin.closeAllConnections();
      origin.close();
    });
  });
});
