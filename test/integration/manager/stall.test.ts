import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until, World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await World.create();
});
afterEach(() => world[Symbol.asyncDispose]());

/** As on a laptop under load. Longer than the keeper's patience for one call. */
const STALL_MS = 4_000;

test("a local server that stalls for some seconds is not replaced", async () => {
  const { session_name } = await world.json<{ session_name: string }>("start", "--detach");
  const [pid] = world.pidsOf("local-server");
  process.kill(pid!, "SIGSTOP");
  await delay(STALL_MS);
  process.kill(pid!, "SIGCONT");
  await until("the session", async () => (await world.served(session_name)) === "remote web");
  // The keeper has looked at it again.
  await world.json("route", "local", "web");
  expect(await world.served(session_name)).toBe("local web");
  expect(world.pidsOf("local-server")).toEqual([pid]);
});
