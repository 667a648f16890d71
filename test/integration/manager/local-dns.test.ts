/** Local DNS as long as it is installed: with a session, between sessions, and when it has died. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LOCAL_DNS_PROBE_NAME } from "../../../core/api/control-api.ts";
import { answers } from "../../../manager/components/local-dns/local-dns-process.ts";
import { Manager } from "../../../manager/manager.ts";
import type { Snapshot } from "../../../manager/model/snapshot.ts";
import { until, World } from "./world.ts";

/** Its port is the same for all: a user who has installed it already has one. */
const isTaken = await answers(LOCAL_DNS_PROBE_NAME);

test.skipIf(isTaken)(
  "it goes on without a session, comes back in a window, and ends with its installation",
  async () => {
    await using world = await World.create();
    world.writeConfig(world.configPath, { domain: "example.com" });
    mkdirSync(world.home, { mode: 0o700, recursive: true });
    const journal = join(world.home, "system-changes.json");
    // As an installation leaves it, the system's part apart.
    writeFileSync(
      journal,
      JSON.stringify({ version: 1, domains: ["example.com"], method: "systemd-resolved", entries: [] }),
    );
    const problems = async () => (await world.json<Snapshot>("status")).problems.map(({ code }) => code);
    expect(await problems()).toEqual(["local-dns-idle"]);

    const { urls } = await world.json<{ urls: string[] }>("start", "--isolated", "--detach");
    const { hostname } = new URL(urls[0]!);
    await until("the session's name", () => answers(hostname));
    const [pid] = world.pidsOf("local-dns");
    await world.linkup("stop", "--all");
    expect(world.pidsOf("local-dns")).toEqual([pid]);
    expect(await answers(LOCAL_DNS_PROBE_NAME)).toBe(true);
    await until("the name is forgotten", async () => !(await answers(hostname)));
    expect(await problems()).toEqual([]);

    process.kill(pid!, "SIGKILL");
    await until("that it is missed", async () => (await problems()).join() === "local-dns-idle");
    const window = new Manager({
      home: world.home,
      dist: world.dist,
      version: "0.0.0",
      env: world.env,
      user: { id: "window", keep: false },
      log: () => {},
    });
    window.watch();
    await until("another one", () => answers(LOCAL_DNS_PROBE_NAME));
    expect(world.pidsOf("local-dns")).not.toEqual([pid]);

    rmSync(journal);
    await until("its end", () => world.pidsOf("local-dns").length === 0);
    await window.dispose();
    expect(await problems()).toEqual([]);
  },
);
