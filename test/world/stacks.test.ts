/** Libraries with protocols of their own, each with the client that comes with it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reservedPort } from "../support/ports.ts";
import { type App, type AppCommand, RESOLVE, runClient, startApp } from "./app.ts";
import { Chain, DOMAIN, WAYS } from "./chain.ts";

const main =
  (...args: string[]) =>
  () => [process.execPath, "main.mjs", ...args];
const APPS: Record<string, AppCommand> = {
  socketio: { argv: main(), ready: "/" },
  tus: { argv: main(), ready: "/" },
  connect: { argv: main(), ready: "/" },
  h2c: { folder: "connect", argv: main("h2c"), connects: true },
  grpc: { argv: () => [process.execPath, `--import=${RESOLVE}`, "main.mjs"], connects: true },
};

let chain: Chain;
const apps: App[] = [];

beforeAll(async () => {
  const locations: Record<string, string> = {};
  for (const [name, command] of Object.entries(APPS)) {
    const app = await startApp(name, await reservedPort(), command);
    apps.push(app);
    locations[name] = command.connects ? app.url.replace("http:", "h2c:") : app.url;
  }
  chain = await Chain.start(locations);
});
afterAll(async () => {
  await chain?.stop();
  await Promise.all(apps.map((app) => app.stop()));
});

describe.each(WAYS)("socket.io %s", (way) => {
  test.each([
    ["polling", "polling"],
    ["websocket", "websocket"],
    ["polling,websocket", "websocket"],
  ])("by %s", async (transports, used) => {
    expect(await runClient("socketio", "client.mjs", chain.origin(way, "socketio"), transports)).toEqual({
      echoed: [0, 255, "ö"],
      shouted: "hello",
      used: [used, used],
    });
  });
});

describe.each(WAYS)("tus %s", (way) => {
  test.each(["/files", "/forwarded"])("an upload that is resumed, at %s", async (path) => {
    const origin = chain.origin(way, "tus");
    const { url, resumedAt, sum } = await runClient<{ url: string; resumedAt: number; sum: string }>(
      "tus",
      "client.mjs",
      `${origin}${path}`,
    );
    // The address of an upload is the session's, with its port: the client goes on there.
    expect(url).toMatch(new RegExp(`^${origin.replaceAll(".", "\\.")}${path}/\\w+$`));
    expect(resumedAt).toBeGreaterThanOrEqual(2 * 1024 * 1024);
    expect((await chain.ask(way, "tus", `/sum/${url.split("/").at(-1)}`)).body).toBe(sum);
  });
});

/** What a client gets by these methods. */
const answers = (host: string) => ({
  say: [`hello ${host.split(":")[0]}`, "7"],
  // FAILED_PRECONDITION
  refuse: [9, "nö: 100 %"],
  count: ["1", "2", "3"],
  sum: "6",
});
const METHODS = ["say", "refuse", "count", "sum"];

describe.each(WAYS)("Connect %s", (way) => {
  test.each(["connect", "grpc-web"])("%s over HTTP/1.1", async (protocol) => {
    const url = chain.origin(way, "connect");
    expect(await runClient("connect", "client.mjs", url, protocol, "1.1", ...METHODS)).toEqual(
      answers(chain.host(way, "connect")),
    );
  });

  test.each(["connect", "grpc-web"])(
    "%s over HTTP/1.1, to a service that speaks HTTP/2 without TLS",
    async (protocol) => {
      const url = chain.origin(way, "h2c");
      expect(await runClient("connect", "client.mjs", url, protocol, "1.1", ...METHODS)).toEqual(
        answers(chain.host(way, "h2c")),
      );
    },
  );
});

// A Worker cannot send trailers, with which gRPC ends: clients of gRPC are those of this machine.
describe.each(["direct", "cloudflare"] as const)("gRPC %s", (way) => {
  test("fails at once, instead of hanging", async () => {
    const answer = await runClient<{ say: string }>(
      "connect",
      "client.mjs",
      chain.origin(way, "h2c"),
      "grpc",
      "2",
      "say",
    );
    expect(answer.say).toMatch(/^ConnectError: \[(?!deadline)/);
  });
});

describe("gRPC local", () => {
  test("grpc-js: unary and streams both ways, and a service that calls another one", async () => {
    const host = chain.host("local", "grpc");
    const session = host.split(":")[0];
    const other = `grpc.${DOMAIN}:${chain.port("local")}`;
    expect(await runClient("grpc", "client.mjs", host, other)).toEqual({
      say: [`hello ${session}`, "7"],
      relayed: [`relayed: hello ${session}`],
      refuse: [9, "nö: 100 %"],
      count: ["1", "2", "3"],
      sum: "6",
      chat: ["A", "B"],
    });
  });

  test.each(["grpc", "grpc-web", "connect"])("Connect's client by %s over HTTP/2", async (protocol) => {
    const url = chain.origin("local", "h2c");
    const methods = [...METHODS, "chat"];
    expect(await runClient("connect", "client.mjs", url, protocol, "2", ...methods)).toEqual({
      ...answers(chain.host("local", "h2c")),
      chat: ["A", "B"],
    });
  });
});
