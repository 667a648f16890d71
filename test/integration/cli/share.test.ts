import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import type { Snapshot } from "../../../manager/model/snapshot.ts";
import { World } from "../manager/world.ts";

let world: World;
afterEach(() => world[Symbol.asyncDispose]());

test("a Worker that cannot keep a session private is told of none", async () => {
  world = await World.create("cloudflare");
  const refused = await world.linkup("start", "--detach", "--private", "--json");
  expect(refused.code).toBe(4);
  expect(JSON.parse(refused.stderr).problem).toMatchObject({
    code: "access-unsupported",
    message: expect.stringMatching(/Update the Worker, or make the session public \(linkup start --public\)/),
    actions: [{ command: "updateWorker" }],
  });
  expect((await world.json<Snapshot>("status")).sessions).toEqual([]);

  // It stays the user's choice, until another one is made.
  expect((await world.linkup("start", "--detach")).code).toBe(4);
  expect(await world.json("start", "--detach", "--public")).toMatchObject({ access: "public" });
  expect((await world.linkup("share", "--private", "--json")).stderr).toContain("access-unsupported");
  expect((await world.json<Snapshot>("status")).sessions).toMatchObject([
    { access: "public", state: "running" },
  ]);
  await world.linkup("stop");

  // The file's word is not weaker.
  const text = readFileSync(world.configPath, "utf8");
  writeFileSync(world.configPath, text.replace("services:", "  access: private\nservices:"));
  expect((await world.linkup("start", "--detach")).code).toBe(4);
});
