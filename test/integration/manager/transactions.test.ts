import { mkdirSync, watch } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Manager } from "../../../manager/manager.ts";
import { version } from "../../../package.json";
import { TOKEN, until, World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await World.create();
  mkdirSync(world.home, { mode: 0o700 });
});
afterEach(() => world[Symbol.asyncDispose]());

/** How often the state is replaced while the action runs. */
async function rewrites(action: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const files = watch(world.home, (event, name) => {
    if (event === "rename" && name === "state.json") count++;
  });
  await action();
  // The events of a write arrive in their order: the last one is that of a file made now.
  mkdirSync(`${world.home}/${Math.random()}`);
  await until("the last event", () => new Promise<true>((resolve) => setImmediate(resolve, true)));
  files.close();
  return count;
}

test("a start and a toggle rewrite the state once each", async () => {
  const manager = new Manager({
    home: world.home,
    dist: world.dist,
    version,
    env: world.env,
    user: { id: "keep", keep: true },
    token: async () => TOKEN,
    log: () => {},
  });
  const { configPath } = world;
  const counts = {
    start: await rewrites(() => manager.start({ configPath })),
    toggle: await rewrites(() => manager.route({ configPath }, ["web"], "local")),
    stop: await rewrites(() => manager.stop({ configPath })),
  };
  expect(counts).toEqual({ start: 1, toggle: 1, stop: 1 });
});
