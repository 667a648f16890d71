/**
 * Plays the contract against an implementation:
 *   npm run test:protocol -- [--base URL] [--token T] [--only TEXT]
 * Without --base against the Worker of this repository. The services that it reaches listen on loopback,
 * so the implementation has to run on this machine.
 */
import { parseArgs } from "node:util";
import { startWorker } from "../../../scripts/embedded-worker.mjs";
import api from "./api.ts";
import type { Case } from "./case.ts";
import headers from "./headers.ts";
import identify from "./identify.ts";
import names from "./names.ts";
import route from "./route.ts";
import { ProtocolWorld } from "./world.ts";

const { values } = parseArgs({
  options: {
    base: { type: "string" },
    token: { type: "string", default: "token123" },
    only: { type: "string", default: "" },
  },
});

const worker = values.base
  ? undefined
  : await startWorker({ token: values.token, vars: { LINKUP_DESTINATION: "any" } });
const world = await ProtocolWorld.open(values.base ?? worker!.url, values.token);
console.log(
  `The contract against ${world.base.href}${world.capabilities.size > 0 ? "" : ", which has no capabilities of ours"}`,
);

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const row of [...names, ...identify, ...route, ...headers, ...api]) {
  if (!`${row.section} ${row.name}`.includes(values.only)) continue;
  counts[await play(row)]++;
}
await world.close();
await worker?.stop();
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;

async function play(row: Case): Promise<keyof typeof counts> {
  const title = `§${row.section} ${row.name}`;
  if (row.needs !== undefined && !world.capabilities.has(row.needs)) {
    console.log(`skip  ${title} (beyond the contract: ${row.needs})`);
    return "skipped";
  }
  try {
    await row.run(world);
    console.log(`ok    ${title}`);
    return "passed";
  } catch (error) {
    console.log(`FAIL  ${title}\n      ${(error as Error).message.replaceAll("\n", "\n      ")}`);
    return "failed";
  }
}
