// A Worker that hangs or refuses: what waits for it ends in time, can be cancelled, and leaves nothing behind.
import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Manager } from "../../../manager/manager.ts";
import { version } from "../../../package.json";
import { TOKEN, until, World } from "./world.ts";

/** Stands between the manager and the Worker. */
class Gate {
  /** What happens to a request to the Worker's API: `late` lets it through, and its answer only after `release`. */
  mode: "pass" | "hang" | "late" | "refuse" = "pass";
  /** `POST /linkup/v2/sessions/tunneled`, as they came. */
  readonly asked: string[] = [];
  readonly #held: (() => void)[] = [];
  readonly server: Server;

  constructor(target: string) {
    this.server = createServer((incoming, outgoing) => {
      const { mode } = this;
      this.asked.push(`${incoming.method} ${incoming.url}`);
      if (mode === "hang") return;
      if (mode === "refuse" && incoming.method === "POST")
        return void outgoing.writeHead(400).end("web: private addresses are refused");
      const { method, headers } = incoming;
      const onward = request(target + incoming.url, { method, headers, agent: false }, (answer) => {
        const send = () => answer.pipe(outgoing.writeHead(answer.statusCode!, answer.headers));
        if (this.mode === "late" && method === "POST") this.#held.push(send);
        else send();
      });
      incoming.pipe(onward).on("error", () => outgoing.destroy());
    });
  }

  release(): void {
    this.mode = "pass";
    for (const send of this.#held.splice(0)) send();
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }
}

let world: World;
let gate: Gate;
let window: Manager;
beforeEach(async () => {
  world = await World.create();
  gate = new Gate(world.worker!.url);
  gate.server.listen(0, "127.0.0.1");
  await once(gate.server, "listening");
  world.workerPort = gate.port;
  world.writeConfig();
  window = newWindow("vscode-1");
  window.watch();
});
afterEach(async () => {
  gate.release();
  await window.dispose();
  await world[Symbol.asyncDispose]();
  gate.server.closeAllConnections();
  gate.server.close();
});

function newWindow(id: string): Manager {
  const { LINKUP_WORKER_TOKEN: _, ...env } = world.env;
  return new Manager({
    home: world.home,
    dist: world.dist,
    version,
    env,
    user: { id, keep: false, files: () => [world.configPath] },
    token: async () => TOKEN,
    log: () => {},
  });
}

const file = () => ({ configPath: world.configPath });
const targets = () =>
  window.snapshot.sessions.flatMap(({ services }) => services.map(({ target }) => target));
/** Milliseconds that this took. */
async function timed(work: Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work;
  return performance.now() - began;
}

test("a toggle ends in time, says why, and the services stay where they were", async () => {
  const { name } = await window.start(file());
  gate.mode = "hang";
  const failing = expect(window.route(file(), ["web"], "local", undefined, 1_000)).rejects.toMatchObject({
    problem: { code: "toggle-failed", message: expect.stringContaining("not confirmed within 1 s") },
  });
  expect(await timed(failing)).toBeLessThan(5_000);
  expect(targets()).toEqual(["remote", "remote"]);
  gate.mode = "pass";
  await until("the session to be well again", () => window.snapshot.problems.length === 0);
  expect(await world.served(name!)).toBe("remote web");
  await window.route(file(), ["web"], "local");
  expect(await world.served(name!)).toBe("local web");
});

test("a toggle is cancelled at once", async () => {
  await window.start(file());
  gate.mode = "hang";
  const before = gate.asked.length;
  const cancel = new AbortController();
  const toggle = window.route(file(), "all", "local", cancel.signal);
  await until("the toggle at the Worker", () => gate.asked.length > before);
  const rejected = expect(toggle).rejects.toMatchObject({ name: "AbortError" });
  cancel.abort();
  expect(await timed(rejected)).toBeLessThan(2_000);
  expect(targets()).toEqual(["remote", "remote"]);
  expect(window.snapshot.sessions[0]).toMatchObject({ state: "running" });
});

test("a start is cancelled at once, or ends in time, and leaves nothing", async () => {
  gate.mode = "hang";
  const cancel = new AbortController();
  const start = expect(window.start(file(), cancel.signal)).rejects.toMatchObject({ name: "AbortError" });
  await until("the start at the Worker", () => gate.asked.length > 0);
  cancel.abort();
  expect(await timed(start)).toBeLessThan(3_000);
  expect(window.snapshot.sessions).toEqual([]);
  await expect(window.start(file(), undefined, 1_000)).rejects.toMatchObject({
    problem: { code: "start-timeout" },
  });
  expect(window.snapshot.sessions).toEqual([]);
  await until("no process", () => world.processes().size === 0);
});

test("what the Worker makes while a start is cancelled is deleted there", async () => {
  gate.mode = "late";
  const cancel = new AbortController();
  const start = expect(window.start(file(), cancel.signal)).rejects.toMatchObject({ name: "AbortError" });
  await until("the Worker to be asked", () => gate.asked.some((each) => each.startsWith("POST")));
  cancel.abort();
  gate.release();
  await start;
  expect(window.snapshot.sessions).toEqual([]);
  expect(gate.asked.filter((each) => each.startsWith("DELETE"))).toHaveLength(1);
});

test("a start that finds the session running ends nothing when it is cancelled", async () => {
  const { name } = await window.start(file());
  gate.mode = "hang";
  const cancel = new AbortController();
  const again = expect(window.start(file(), cancel.signal)).rejects.toMatchObject({ name: "AbortError" });
  const before = gate.asked.length;
  await until("the Worker to be asked", () => gate.asked.length > before);
  cancel.abort();
  gate.mode = "pass";
  gate.server.closeAllConnections();
  await again;
  expect(window.snapshot.sessions).toMatchObject([{ name }]);
  await until("the session", async () => (await world.served(name!)) === "remote web");
});

test("a preview that the Worker refuses leaves nothing, in a window too", async () => {
  gate.mode = "refuse";
  const preview = { ...file(), kind: "preview" as const, locations: { web: "http://10.0.0.1" } };
  await expect(window.create(preview)).rejects.toMatchObject({ problem: { code: "worker-failed" } });
  expect(window.snapshot.sessions).toEqual([]);
  expect(window.snapshot.problems).toEqual([]);
});

test("other users of a session are named, and `linkup stop` says so", async () => {
  const { name } = await window.start(file());
  const other = newWindow("vscode-2");
  await until("the lease", async () => (await other.otherUsers(world.configPath)).windows === 1);
  expect(await window.otherUsers(world.configPath)).toEqual({ windows: 0, terminals: 0 });
  expect(await other.otherUsers("/elsewhere/linkup.yaml")).toEqual({ windows: 0, terminals: 0 });
  const { stderr } = await world.linkup("stop");
  expect(stderr).toContain(`Note: ${name} was in use by 1 window of an editor.`);
});
