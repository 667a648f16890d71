/**
 * What a user waits for, without an editor's share: from Start to the session's URL that answers, and from a toggle to the
 * first request that follows it, as a window's manager does them, with the Worker on this machine:
 *   npm run bench:start [-- --rounds 11]
 * Prints medians.
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Manager } from "../../../manager/manager.ts";
import { TOKEN, World } from "../../integration/manager/world.ts";
import { median, percentile } from "../statistics.ts";
import { verdict } from "../verdict.ts";

const TARGETS_MS = { start: 400, toggle: 60 };

const { values } = parseArgs({ options: { rounds: { type: "string", default: "11" } } });
const times: Record<keyof typeof TARGETS_MS, number[]> = { start: [], toggle: [] };

await using world = await World.create("direct");
const { LINKUP_WORKER_TOKEN: _, ...env } = world.env;
const window = new Manager({
  home: world.home,
  dist: world.dist,
  version: "bench",
  env,
  user: { id: "bench", keep: false },
  token: async () => TOKEN,
  log: () => {},
});
window.watch();
const config = { configPath: world.configPath };
for (let round = 0; round < Number(values.rounds); round++) {
  let since = performance.now();
  const { name } = await window.start(config);
  await follows(name!, "remote web");
  times.start.push(performance.now() - since);
  for (const target of ["local", "remote"] as const) {
    since = performance.now();
    const routed = window.route(config, ["web"], target);
    await follows(name!, `${target} web`);
    times.toggle.push(performance.now() - since);
    await routed;
  }
  await window.stop(config);
}
await window.dispose();

for (const [what, all] of Object.entries(times)) {
  const target = TARGETS_MS[what as keyof typeof TARGETS_MS];
  const value = median(all);
  const range = `${percentile(all, 0).toFixed(0)} to ${percentile(all, 1).toFixed(0)} ms`;
  console.log(
    `${verdict(value <= target).padEnd(6)} ${what}: ${value.toFixed(0)} ms (${range}), at most ${target} ms`,
  );
}

/** Resolves when that copy answers the session's requests. */
async function follows(name: string, copy: string): Promise<void> {
  while ((await world.served(name)) !== copy) await delay(1);
}
