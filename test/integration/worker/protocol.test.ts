import { afterAll, beforeAll, describe, test } from "vitest";
import api from "../../compat/protocol/api.ts";
import headers from "../../compat/protocol/headers.ts";
import identify from "../../compat/protocol/identify.ts";
import names from "../../compat/protocol/names.ts";
import route from "../../compat/protocol/route.ts";
import { ProtocolWorld } from "../../compat/protocol/world.ts";
import { startWorker, TOKEN } from "./world.ts";

let worker: Awaited<ReturnType<typeof startWorker>>;
let world: ProtocolWorld;

beforeAll(async () => {
  // The contract lets every client choose the service; ours only when it is told to.
  worker = await startWorker({ vars: { LINKUP_DESTINATION: "any" } });
  world = await ProtocolWorld.open(worker.url, TOKEN);
});
afterAll(async () => {
  await world.close();
  await worker.stop();
});

describe("the contract", () => {
  for (const row of [...names, ...identify, ...route, ...headers, ...api]) {
    test.concurrent(`§${row.section} ${row.name}`, () => row.run(world));
  }
});
