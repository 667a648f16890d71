/** The requests of a preview, which pass the Worker only, followed from this machine. */
import { once } from "node:events";
import { mkdirSync, renameSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Exchange, FollowedExchange } from "../../../core/api/request-log-api.ts";
import type { SessionView, Snapshot } from "../../../manager/model/snapshot.ts";
import { Lock } from "../../../node/lock.ts";
import { until, World } from "../manager/world.ts";

describe.each(["direct", "deployed"] as const)("through a Worker that is %s", (tunnel) => {
  test("linkup requests shows a preview's, and leaves nothing running for it", async () => {
    const world = await World.create(tunnel);
    onTestFinished(() => world[Symbol.asyncDispose]());
    const remote = world.location("remote web");
    const { name } = await world.json<SessionView>("preview", "--name", "pr-12", `web=${remote}`);
    expect([...world.processes().values()]).toEqual([]);

    const { child, output } = world.spawnLinkup("requests", "--follow", "--session", "pr-12", "--json");
    const lines = () =>
      output.stdout
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as FollowedExchange);
    const rows = () => lines().filter((line): line is Exchange => "id" in line);
    await until("the preview is followed", () =>
      lines().some((line) => "watch" in line && line.watch.state === "watching"),
    );
    const row = await until("a request of the preview", async () => {
      await world.served(name!, "/page?token=secret");
      return rows().find(({ state }) => state === "complete");
    });
    expect(row).toMatchObject({
      listener: "edge",
      session: "pr-12",
      service: "web",
      at: "remote",
      status: 200,
      target: "/page?token=***",
      url: `${remote}/page?token=***`,
      edge: { after: false, status: 200 },
    });
    // As every row: with all that is known, and again as it was.
    expect(await world.json("requests", String(row.id))).toMatchObject({
      explanation: { session: "pr-12", decision: { outcome: "routed" } },
    });
    // It is not of this machine: nothing is routed here.
    const { sessions, components } = await world.json<Snapshot>("status");
    expect(sessions).toMatchObject([{ name: "pr-12", kind: "preview", state: "running" }]);
    expect(components.find(({ id }) => id === "local-server")).toMatchObject({ state: "ready" });

    // One that is made meanwhile is followed as well.
    const later = world.spawnLinkup("requests", "--follow", "--json");
    await until("the log is followed", () => later.output.stdout.includes('"pr-12"'));
    await world.json("preview", "--name", "pr-13", `web=${remote}`);
    await until("the later preview is followed", () =>
      /"watch":\{"session":"pr-13","state":"watching"/.test(later.output.stdout),
    );

    // What lasts is told once, and over when it is.
    const state = join(world.home, "state.json");
    // A keeper that finds no file ends all that runs. Under the lock none looks between two of these steps.
    const lock = new Lock(join(world.home, "state.lock"), (cause) => cause as Error);
    await lock.hold(async () => {
      renameSync(state, `${state}.aside`);
      mkdirSync(state);
    });
    await until("the failure is told", () => later.output.stderr.includes("are not shown: "));
    await lock.hold(async () => {
      rmdirSync(state);
      renameSync(`${state}.aside`, state);
    });
    await world.json("preview", "--name", "pr-14", `web=${remote}`);
    await until("a preview is followed again", () =>
      /"watch":\{"session":"pr-14","state":"watching"/.test(later.output.stdout),
    );
    expect(later.output.stderr.match(/are not shown: /g)).toHaveLength(1);

    const closed = Promise.all([once(child, "close"), once(later.child, "close")]);
    for (const follower of [child, later.child]) follower.kill("SIGINT");
    await closed;
    for (const preview of ["pr-12", "pr-13", "pr-14"])
      expect((await world.linkup("sessions", "delete", preview)).code).toBe(0);
    await until("nothing to run", () => world.processes().size === 0);
    expect(await world.served("pr-12")).toMatch(/^422 /);
  });
});
