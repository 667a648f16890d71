/** `linkup replay` and `linkup compare`, and what becomes of secrets. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Exchange, ReplayResponse } from "../../../core/api/request-log-api.ts";
import type { SessionView } from "../../../manager/model/snapshot.ts";
import type { ComparedRow } from "../../../manager/operations/compare.ts";
import { callControl } from "../local-server/harness.ts";
import { until, World } from "../manager/world.ts";

const SECRET = "Zq8fJ2kLmN4pR6tV";
/** What a copy of `web` saw. */
const seen: { copy: string; request: IncomingMessage; body: string }[] = [];
const copies: Record<string, Server> = {};
let answers: Record<string, unknown> = {};
let world: World;
let port: number;

beforeAll(async () => {
  for (const copy of ["local", "remote"]) {
    const server = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      if (request.headers["user-agent"] !== "linkup-health") seen.push({ copy, request, body });
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ ...(answers[copy] as object), at: performance.now() }));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    copies[copy] = server;
  }
  world = await World.create();
  const location = (copy: string) => `http://127.0.0.1:${(copies[copy]!.address() as AddressInfo).port}`;
  writeFileSync(
    world.configPath,
    `linkup: { worker_url: "${world.worker!.url}" }
services:
  - { name: web, local: "${location("local")}", remote: "${location("remote")}" }
domains:
  - { domain: shop.localhost, default_service: web }
compare: { ignore: ["at", "items.*.id"] }
`,
  );
  const session = await world.json<SessionView>("start", "--isolated", "--detach");
  await world.linkup("route", "local", "web");
  port = Number(new URL(session.urls[0]!).port);
  await callControl(world.home, "PUT", "/v1/requests/settings", { body_bytes: 1_000 });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  for (const server of Object.values(copies)) server.close();
});
beforeEach(() => {
  seen.length = 0;
  answers = { local: { a: 1 }, remote: { a: 1 } };
});

async function ask(path: string, method = "GET", headers: Record<string, string> = {}, body = "") {
  const [session] = await world.json<SessionView[]>("sessions", "list");
  const call = request({
    host: "127.0.0.1",
    port,
    path,
    method,
    headers: { host: `${session!.name}.shop.localhost:${port}`, ...headers },
    agent: false,
  });
  call.end(body);
  const [response] = (await once(call, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  return until(`${path} is over`, async () =>
    (await world.json<Exchange[]>("requests")).findLast(
      ({ target, state }) => target.startsWith(path) && state === "complete",
    ),
  );
}

test("a request is sent again as it was, to where it went before; elsewhere without its secrets", async () => {
  const { id } = await ask("/again?x=1", "GET", { authorization: `Bearer ${SECRET}`, "x-mine": "1" });
  seen.length = 0;
  const again = await world.json<ReplayResponse>("replay", String(id));
  expect(again).toMatchObject({ status: 200, withheld: [] });
  expect(seen).toMatchObject([
    {
      copy: "local",
      request: { url: "/again?x=1", headers: { authorization: `Bearer ${SECRET}`, "x-mine": "1" } },
    },
  ]);
  expect(seen[0]!.request.headers).toMatchObject({ "linkup-destination": "web" });

  const there = await world.json<ReplayResponse>("replay", String(id), "--to", "remote");
  expect(there.withheld).toEqual(["authorization"]);
  expect(seen[1]).toMatchObject({ copy: "remote", request: { headers: { "x-mine": "1" } } });
  expect(seen[1]!.request.headers.authorization).toBeUndefined();
  await world.json("replay", String(id), "--to", "remote", "--secrets");
  expect(seen[2]!.request.headers.authorization).toBe(`Bearer ${SECRET}`);
  expect((await world.linkup("replay", String(id), "--to", "nowhere")).code).toBe(2);

  // Each is a row of the log, without the secrets, and says where it went.
  const replays = (await world.json<Exchange[]>("requests")).filter(({ replay_of }) => replay_of === id);
  expect(replays.map(({ status, state, url }) => [status, state, url])).toEqual([
    [200, "complete", again.url],
    [200, "complete", there.url],
    [200, "complete", there.url],
  ]);
  expect(JSON.stringify(await world.json("requests", String(replays[2]!.id)))).not.toContain(SECRET);
});

test("an edited .http file: unchanged placeholders keep their secrets, and no file contains one", async () => {
  const { id } = await ask("/edited", "POST", { authorization: `Bearer ${SECRET}` }, "hello");
  seen.length = 0;
  const { stdout: text } = await world.linkup("replay", String(id), "--http");
  expect(text).toContain("Bearer ***");
  expect(text).not.toContain(SECRET);
  const file = join(world.folder, "edited.http");
  writeFileSync(file, text.replace("/edited", "/edited/now").replace("hello", "bye"));
  // It may change something, and nobody can be asked.
  expect((await world.linkup("replay", String(id), "--file", file)).code).toBe(2);
  expect(seen).toEqual([]);
  await world.json("replay", String(id), "--file", file, "--yes");
  expect(seen).toMatchObject([
    { body: "bye", request: { url: "/edited/now", headers: { authorization: `Bearer ${SECRET}` } } },
  ]);
  expect(seen[0]!.request.headers["content-length"]).toBe("3");
});

test("a body that was not kept is not replaced by another", async () => {
  const { id } = await ask("/large", "POST", {}, "x".repeat(2_000));
  expect(await world.linkup("replay", String(id), "--yes")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("The body of this request was not kept"),
  });
});

test("compare finds a planted difference and ignores what may differ", async () => {
  await ask("/same");
  answers = { local: { a: 1, items: [{ id: 1, n: 1 }] }, remote: { items: [{ n: 2, id: 2 }], a: 1 } };
  const { id } = await ask("/different");
  await ask("/change", "DELETE");
  seen.length = 0;
  const { code, stdout, stderr } = await world.linkup("compare", String(id));
  expect({ code, stderr }).toEqual({ code: 7, stderr: "1 of 1 differ.\n" });
  expect(stdout).toContain("body items[0].n: local 1, remote 2");
  expect(stdout).not.toContain("items[0].id");
  expect(seen.map(({ copy }) => copy).sort()).toEqual(["local", "remote"]);

  answers = { local: { a: 1 }, remote: { a: 1 } };
  const all = await world.linkup("compare", "--last", "50", "--service", "web", "--json");
  expect(all.code).toBe(0);
  const rows = JSON.parse(all.stdout) as ComparedRow[];
  expect(rows.map(({ target }) => target)).toEqual(expect.arrayContaining(["/same", "/different"]));
  // What may change something is sent only where the user agrees.
  expect(rows.every(({ method }) => method === "GET")).toBe(true);
  expect((await world.linkup("compare", "--unsafe")).code).toBe(2);
  expect(seen.some(({ request }) => request.method === "DELETE")).toBe(false);
  expect((await world.linkup("compare", "--service", "none")).code).toBe(5);
});
