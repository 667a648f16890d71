/** The contract again, with the Worker as it is deployed: services are hosts on the Internet, tunnels are Cloudflare's. */
import { afterAll, beforeAll, describe, test } from "vitest";
import api from "../../compat/protocol/api.ts";
import { answer } from "../../compat/protocol/echo.ts";
import headers from "../../compat/protocol/headers.ts";
import identify from "../../compat/protocol/identify.ts";
import names from "../../compat/protocol/names.ts";
import route from "../../compat/protocol/route.ts";
import { ProtocolWorld } from "../../compat/protocol/world.ts";
import { Internet } from "./internet.ts";
import { type startWorker, TOKEN } from "./world.ts";

/** Needs a laptop of its own at the end of the tunnel; tunnels.test.ts tries the same. */
const WITH_LAPTOP = "the secret of the tunnel goes to the laptop only, a client's own to nobody";

let internet: Internet;
let worker: Awaited<ReturnType<typeof startWorker>>;
let world: ProtocolWorld;

beforeAll(async () => {
  internet = await new Internet().start();
  worker = await internet.startWorker({ LINKUP_DESTINATION: "any", LINKUP_API_RATE: "100000" });
  world = await ProtocolWorld.open(worker.url, TOKEN);
  for (const service of Object.values(world.services)) {
    const host = `${service.name}.example.org`;
    internet.hosts.set(host, (request, response) => void answer(service.name, request, response));
    service.url = `http://${host}`;
  }
  internet.hosts.set("unreachable.example.org", (request) => request.socket.destroy());
  world.unreachable = "http://unreachable.example.org";
});
afterAll(async () => {
  await world.close();
  await worker.stop();
  await internet.stop();
});

describe("the contract", () => {
  for (const row of [...names, ...identify, ...route, ...headers, ...api]) {
    test.skipIf(row.name === WITH_LAPTOP)(`§${row.section} ${row.name}`, () => row.run(world));
  }
});
