/** A service of one session that another session serves: two laptops on this machine, each with a home of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Exchange } from "../../../core/api/request-log-api.ts";
import type { ServiceView, Snapshot } from "../../../manager/model/snapshot.ts";
import { processesWith } from "../../support/processes.ts";
import { stopAtFirstFailure } from "../../support/stop-at-first-failure.ts";
import { until, World } from "./world.ts";

/** Of this session, and of the colleague's: one of them has the same name. */
const MINE = `overrides:
  - { name: slow, service: api, fault: { delay_ms: 20 } }
`;
const HERS = `overrides:
  - { name: slow, service: api, respond: { status: 418, body: hers } }
  - { name: moved, service: api, when: { path: /x }, target: remote }
`;

interface Answer {
  status: number;
  body: string;
  headers: IncomingHttpHeaders;
}

/** Another laptop, with a session of the same system and an `api` of its own, which tells the headers it gets. */
class Colleague {
  readonly #world: World;
  readonly #home: string;
  readonly #folder: string;
  readonly #api: Server;

  private constructor(world: World, api: Server) {
    this.#world = world;
    this.#api = api;
    this.#folder = join(world.folder, "colleague");
    this.#home = join(this.#folder, "home");
    mkdirSync(this.#folder);
    const { port } = api.address() as AddressInfo;
    const path = world.writeConfig(join(this.#folder, "linkup.yaml"), { more: HERS });
    const mine = `http://127.0.0.1:${port}`;
    writeFileSync(path, readFileSync(path, "utf8").replace(world.location("local api"), mine));
  }

  static async create(world: World): Promise<Colleague> {
    const api = createServer(({ headers }, response) => response.end(JSON.stringify(headers)));
    api.listen(0, "127.0.0.1");
    await once(api, "listening");
    return new Colleague(world, api);
  }

  async linkup(...args: string[]): Promise<string> {
    const child = spawn(process.execPath, [join(this.#world.dist, "cli.js"), ...args], {
      cwd: this.#folder,
      env: { ...this.#world.env, HOME: this.#folder, LINKUP_HOME: this.#home },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let out = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    await once(child, "close");
    expect(child.exitCode).toBe(0);
    return out;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.linkup("stop", "--all");
    for (const pid of processesWith(`LINKUP_HOME=${this.#home}`).keys()) process.kill(pid, "SIGKILL");
    this.#api.closeAllConnections();
    this.#api.close();
  }
}

describe.each(["direct", "deployed"] as const)("through a Worker that is %s", (tunnel) => {
  stopAtFirstFailure();
  let world: World;
  let colleague: Colleague;
  let mine: string;

  beforeAll(async () => {
    world = await World.create(tunnel);
    world.writeConfig(world.configPath, { more: MINE });
    colleague = await Colleague.create(world);
    mine = (await world.json<{ session_name: string }>("start", "--detach")).session_name;
    await colleague.linkup("start", "--detach", "--name", "bold-cat");
    await colleague.linkup("route", "local", "api");
    await until("the colleague's copy", async () => (await ask("bold-cat")).body.startsWith("{"));
  });
  afterAll(async () => {
    await colleague[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  /** A request for `api` of this session, as a browser sends it to the Worker, or to the local server at another port. */
  function ask(session: string, port = world.workerPort): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const headers = { host: `${session}.shop.localhost`, "linkup-target-session": "bold-cat" };
    request({ host: "127.0.0.1", port, path: "/api/x", agent: false, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode!, body, headers: response.headers }));
    })
      .on("error", reject)
      .end();
    return promise;
  }

  async function api(): Promise<ServiceView> {
    const { sessions } = await world.json<Snapshot>("status");
    return sessions[0]!.services.find(({ name }) => name === "api")!;
  }

  const served = async (session = mine) => {
    const { body, headers } = await ask(session);
    return { body: body.startsWith("{") ? "colleague" : body, fallback: headers["linkup-fallback"] };
  };
  const servedSoon = (expected: Awaited<ReturnType<typeof served>>, session = mine) =>
    expect.poll(() => served(session)).toEqual(expected);

  test("only where its owner allows it, live, and never in a circle", async () => {
    await world.json("route", "session:bold-cat", "api");
    await servedSoon({ body: "remote api", fallback: "session-not-shared" });
    expect(await api()).toMatchObject({ target: "session:bold-cat", fallback: "session-not-shared" });

    expect(await colleague.linkup("share", "--targets", "on")).toContain("linkup route session:bold-cat");
    await servedSoon({ body: "colleague", fallback: undefined });

    // The request is this session's: what the colleague's copy calls goes back there.
    const seen = JSON.parse((await ask(mine)).body) as Record<string, string>;
    expect(seen.tracestate).toBe(`linkup-session=${mine}`);
    expect(seen["x-forwarded-host"]).toBe(`${mine}.shop.localhost`);
    expect(Object.keys(seen)).not.toContain("linkup-target-session");
    expect(Object.keys(seen)).not.toContain("linkup-origin-secret");
    const requests = JSON.parse(await colleague.linkup("requests", "--json")) as Exchange[];
    expect(requests.at(-1)).toMatchObject({ session: "bold-cat", service: "api", at: "local", status: 200 });

    // By local DNS it comes to this machine's local server first, and gets there as well.
    const [, port] = /127\.0\.0\.1:(\d+) for browsers/.exec((await world.linkup("status")).stdout)!;
    expect((await ask(mine, Number(port))).body).toMatch(/^\{/);

    await colleague.linkup("route", "remote", "api");
    await servedSoon({ body: "remote api", fallback: undefined });

    await colleague.linkup("route", `session:${mine}`, "api");
    await servedSoon({ body: "remote api", fallback: "session-not-shared" }, "bold-cat");
    await world.json("share", "--targets", "on");
    await servedSoon({ body: "remote api", fallback: "session-loop" });
    await servedSoon({ body: "remote api", fallback: "session-loop" }, "bold-cat");

    await colleague.linkup("route", "local", "api");
    await servedSoon({ body: "colleague", fallback: undefined });
    await colleague.linkup("share", "--targets", "off");
    await servedSoon({ body: "remote api", fallback: "session-not-shared" });
  });

  test("overrides are for their own session's requests, and none is met twice", async () => {
    await colleague.linkup("share", "--targets", "on");
    await servedSoon({ body: "colleague", fallback: undefined });
    await colleague.linkup("override", "on", "slow");
    expect(await ask("bold-cat")).toMatchObject({ status: 418, body: "hers" });
    expect((await served()).body).toBe("colleague");
    // Disturbed here, on its way there.
    await world.json("override", "on", "slow");
    const slow = await ask(mine);
    expect([slow.status, slow.headers["linkup-override"]]).toEqual([200, "slow"]);
    expect(slow.body).toMatch(/^\{/);
    const [, port] = /127\.0\.0\.1:(\d+) for browsers/.exec((await world.linkup("status")).stdout)!;
    expect((await ask(mine, Number(port))).body).toMatch(/^\{/);
    await world.json("override", "off", "slow");

    await colleague.linkup("override", "off", "slow");
    await colleague.linkup("override", "on", "moved");
    await until("her own requests", async () => (await ask("bold-cat")).body === "remote api");
    expect((await served()).body).toBe("colleague");
    await colleague.linkup("override", "off", "--all");
  });

  test("a session that has ended: the remote copy, and everything says so", async () => {
    await colleague.linkup("stop");
    await servedSoon({ body: "remote api", fallback: "session-gone" });
    await world.json("route", "session:bold-cat", "api");
    await until("the word", async () => (await api()).fallback === "session-gone");
    expect((await world.linkup("status")).stdout).toContain(
      "(session-gone: The session bold-cat does not exist any more.)",
    );
    const explained = await world.linkup("explain", `http://${mine}.shop.localhost/api/x`);
    expect(explained.stdout).toContain("The session bold-cat does not exist any more.");
    const { code, stderr } = await world.linkup("route", `session:${mine}`, "api");
    expect([code !== 0, stderr]).toEqual([true, expect.stringContaining("is this session itself")]);
  });
});
