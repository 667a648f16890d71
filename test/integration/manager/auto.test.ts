/** Services that are routed automatically: local while something listens at their local address, remote otherwise. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Exchange } from "../../../core/api/request-log-api.ts";
import { Manager } from "../../../manager/manager.ts";
import type { ServiceView, Snapshot } from "../../../manager/model/snapshot.ts";
import { version } from "../../../package.json";
import { stopAtFirstFailure } from "../../support/stop-at-first-failure.ts";
import { TOKEN, until, World } from "./world.ts";

/** A development server that says `mine`, as a process that can be killed; it listens when it is told to. */
const SERVER = `
const { createServer } = require("node:http");
process.stdin.once("data", () => {
  const server = createServer((request, response) => request.resume().on("end", () => response.end("mine")));
  server.listen(Number(process.argv[1]), "127.0.0.1", () => console.log(performance.timeOrigin + performance.now()));
});
console.log("ready");`;

interface Answer {
  status: number;
  body: string;
  headers: IncomingHttpHeaders;
}

describe.each(["direct", "deployed"] as const)("through a Worker that is %s", (tunnel) => {
  stopAtFirstFailure();
  let world: World;
  let session: string;
  let server: ChildProcess | undefined;
  /** An editor's window, which shows what its manager tells it. */
  let window: Manager;
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });

  beforeAll(async () => {
    world = await World.create(tunnel);
    // The Worker never sees the deployed copies of what is routed automatically: the local server asks them.
    await world.stopService("local web");
    const text = readFileSync(world.configPath, "utf8").replace(
      /remote: .*/,
      `remote: ${world.location("spare web")}`,
    );
    writeFileSync(world.configPath, `${text}defaults:\n  target: auto\n`);
    session = (await world.json<{ session_name: string }>("start", "--detach")).session_name;
    const { home, dist, env } = world;
    window = new Manager({
      home,
      dist,
      version,
      env,
      user: { id: "window", keep: false },
      token: async () => TOKEN,
      log: () => {},
    });
    window.watch();
    await until("the tunnel", async () => (await answer()).body === "spare web" || undefined);
  });
  afterEach(() => void server?.kill("SIGKILL"));
  afterAll(async () => {
    agent.destroy();
    await window.dispose();
    await world[Symbol.asyncDispose]();
  });

  function answer(method = "GET", body = ""): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const headers = { host: `${session}.shop.localhost`, ...(body ? { "content-length": body.length } : {}) };
    const asked = { host: "127.0.0.1", port: world.workerPort, path: "/", method, agent, headers };
    const sent = request(asked, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode!, body, headers: response.headers }));
      response.on("error", reject);
    });
    sent.on("error", reject).end(body);
    return promise;
  }

  /** When it listened, in milliseconds since the epoch. */
  async function listen(): Promise<number> {
    const port = new URL(world.location("local web")).port;
    server = spawn(process.execPath, ["-e", SERVER, port], { stdio: ["pipe", "pipe", "inherit"] });
    await once(server.stdout!, "data");
    server.stdin!.end("now\n");
    return Number(String((await once(server.stdout!, "data"))[0]));
  }

  /** It answers until it has run for so long that its end is no crash: 3 s after the local server saw it. */
  async function untilSteady(): Promise<void> {
    await until("the local copy", async () => (await answer()).body === "mine");
    const routed = performance.now();
    await until("a steady copy", async () => {
      expect((await answer()).body).toBe("mine");
      return performance.now() - routed > 3_050;
    });
  }

  async function kill(): Promise<void> {
    const ended = once(server!, "exit");
    server!.kill("SIGKILL");
    await ended;
  }

  /** What the window has shown of `web`, and when, in milliseconds since the epoch. */
  /** From remote on. */
  function watched(): { shown: [string, number][]; dispose(): void } {
    const shown: [string, number][] = [];
    let last = "remote";
    const { dispose } = window.onDidChange(({ sessions }) => {
      const { now, waitMs } = sessions[0]!.services.find(({ name }) => name === "web")!;
      const word = waitMs === undefined ? String(now) : `${now} ${waitMs}`;
      if (word !== last) shown.push([word, performance.timeOrigin + performance.now()]);
      last = word;
    });
    return { shown, dispose };
  }

  async function web(): Promise<ServiceView> {
    const { sessions } = await world.json<Snapshot>("status");
    return sessions[0]!.services.find(({ name }) => name === "web")!;
  }

  test("requests follow a server that starts within a second, and none is lost when it dies", async () => {
    expect(await web()).toMatchObject({ target: "auto", now: "remote" });
    const { shown, dispose } = watched();
    const listened = await listen();
    await until("the local copy", async () => (await answer()).body === "mine");
    const took = performance.timeOrigin + performance.now() - listened;
    expect(took).toBeLessThan(1000);
    expect(await web()).toMatchObject({ target: "auto", now: "local" });
    // The tree follows by an event: rounds are 5 s apart.
    await until("the window", () => shown.some(([now]) => now === "local"));
    const shownAfter = shown.find(([now]) => now === "local")![1] - listened;
    expect(shownAfter).toBeLessThan(1_500);

    await untilSteady();
    let dead = false;
    const answers: Answer[] = [];
    const afterDeath: Answer[] = [];
    const ask = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const begunDead = dead;
        const found = await answer();
        (begunDead ? afterDeath : answers).push(found);
      }
    };
    const load = Array.from({ length: 20 }, () => ask(50));
    await until("some answers", () => answers.length > 300);
    await kill();
    dead = true;
    await Promise.all(load);
    const all = [...answers, ...afterDeath];
    expect(all.length).toBe(1000);
    expect(all.filter(({ status }) => status !== 200)).toEqual([]);
    expect(new Set(afterDeath.map(({ body }) => body))).toEqual(new Set(["spare web"]));
    expect(await web()).toMatchObject({ target: "auto", now: "remote" });
    await until("the window", () => shown.at(-1)![0] === "remote");
    dispose();
    console.log(
      `${tunnel}: shown ${shownAfter.toFixed(0)} ms, local ${took.toFixed(0)} ms after it listened; ${afterDeath.length} of 1000 requests came after its death`,
    );
  });

  test("a body of which nothing was read goes to the remote copy, and the log and a header say so", async () => {
    await listen();
    await untilSteady();
    await kill();
    const first = await answer("POST", "something");
    expect(first).toMatchObject({ status: 200, body: "spare web" });
    expect(first.headers["linkup-fallback"]).toBe("local-refused");
    const next = await answer("POST", "something");
    expect(next).toMatchObject({ status: 200, body: "spare web" });
    expect(next.headers["linkup-fallback"]).toBeUndefined();
    const exchanges = await world.json<Exchange[]>("requests");
    const posts = exchanges.filter(({ method }) => method === "POST");
    expect(posts).toMatchObject([{ at: "local", fallback: "local-refused" }, { at: "local" }]);
    expect(posts.map(({ url }) => url)).toEqual([
      `${world.location("spare web")}/`,
      `${world.location("spare web")}/`,
    ]);
    expect(posts[1]).not.toHaveProperty("fallback");
  });

  test("a crash loop does not take the requests back and forth, and the status says what happens", async () => {
    const seen: string[] = [];
    const { shown, dispose } = watched();
    for (let crash = 0; crash < 3; crash++) {
      await listen();
      // It is looked at every 600 ms.
      const end = performance.now() + 1_000;
      while (performance.now() < end) {
        const { body } = await answer();
        if (seen.at(-1) !== body) seen.push(body);
        await delay(25);
      }
      await kill();
      const { body } = await answer();
      if (seen.at(-1) !== body) seen.push(body);
      await until("the window", () => shown.at(-1)?.[0] === `restarting ${1_000 * 2 ** crash}`);
    }
    expect(seen.filter((body) => body === "mine").length).toBe(1);
    expect(await web()).toMatchObject({ target: "auto", now: "restarting" });
    const { stdout } = await world.linkup("status");
    expect(stdout).toContain("auto: remote, restarting…");
    expect(stdout).toContain("until it has been listening for 4 s");
    await until("the window", () => shown.at(-1)![0] === "restarting 4000");
    expect(shown.map(([now]) => now)).toEqual([
      "local",
      "restarting 1000",
      "restarting 2000",
      "restarting 4000",
    ]);
    dispose();
    await listen();
    await until("the mended copy", async () => (await answer()).body === "mine");
  });
});
