import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { InviteList, NewInvite } from "../../../core/api/access-api.ts";
import type { HealthReport } from "../../../manager/doctor/report.ts";
import { Manager } from "../../../manager/manager.ts";
import type { LinkupError } from "../../../manager/model/problem.ts";
import type { SessionView, Snapshot } from "../../../manager/model/snapshot.ts";
import { version } from "../../../package.json";
import { until, World } from "../manager/world.ts";

let world: World;
afterEach(() => world[Symbol.asyncDispose]());

/** The status of a request from outside, as the Worker answers it. */
const statusAt = async (name: string, headers: Record<string, string> = {}) =>
  (await world.ask(`${name}.shop.localhost`, "/", world.workerPort, headers)).status;

/** What is on the disk of this machine. */
function filesOfHome(): string[] {
  return readdirSync(world.home, { recursive: true, encoding: "utf8" })
    .map((path) => join(world.home, path))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
    .map((path) => readFileSync(path, "latin1"));
}

test("no session is created on a Worker that cannot keep it private", async () => {
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

describe.each(["direct", "deployed"] as const)("a private session, %s", (tunnel) => {
  test("is kept private over restarts, shared, and taken back", async () => {
    world = await World.create(tunnel);
    const start = (...args: string[]) =>
      world.json<{ session_name: string; access: string }>("start", "--detach", ...args);
    const { session_name: name, access } = await start("--private");
    expect(access).toBe("private");
    await until("the Worker to ask for a proof", async () => (await statusAt(name)) === 401);
    expect((await world.json<Snapshot>("status")).sessions).toMatchObject([{ name, access: "private" }]);
    expect((await world.linkup("status")).stdout).toContain("tunneled, private, running");
    // That it asks for a proof is no fault. From here nothing of the deployed world's Internet can be reached.
    if (tunnel === "direct") {
      const { checks } = await world.json<HealthReport>("health");
      expect(checks.filter(({ id }) => id === "address")).toMatchObject([
        { state: "ok", found: "It is private: only those who are invited are let in (401)." },
      ]);
    }

    // A toggle and a restart leave it so.
    await world.linkup("route", "local", "web");
    await world.linkup("stop");
    expect(await start()).toMatchObject({ session_name: name, access: "private" });
    await until("the Worker to ask again", async () => (await statusAt(name)) === 401);

    const invite = await world.json<NewInvite>("share", "--token", "--for", "CI", "--expires", "12h");
    expect(invite).toMatchObject({ name: "CI", kind: "token", rights: ["visit"] });
    const proof = { "linkup-access": invite.token! };
    await until("the token to be known", async () => (await statusAt(name, proof)) === 200);

    const link = await world.linkup("share", "--for", "Ana", "--uses", "1");
    expect(link.stdout).toMatch(new RegExp(`^https?://${name}\\.[^/]+/linkup/join#\\S+\n$`));
    const secret = link.stdout.trim().split("#")[1]!;
    const listed = await world.linkup("share", "list");
    expect(listed.stdout).toMatch(/Ana +link +visit .* 0 of 1/);
    expect(listed.stdout).toMatch(/CI +token +visit/);
    const { invites } = await world.json<InviteList>("share", "list");
    expect(JSON.stringify(invites)).not.toContain(secret);
    expect(JSON.stringify(invites)).not.toContain(invite.token);
    for (const content of filesOfHome()) {
      expect(content).not.toContain(secret);
      expect(content).not.toContain(invite.token);
    }

    await world.json("share", "revoke", invite.id);
    await until("the token to be refused", async () => (await statusAt(name, proof)) === 401);
    expect((await world.linkup("share", "revoke", invite.id)).code).toBe(5);

    // Public by the user's word only.
    await world.json("share", "--public");
    await until("everyone to be let in", async () => (await statusAt(name)) === 200);
    const needless = await world.linkup("share", "--for", "Ana");
    expect(needless.stderr).toContain("Make it private with --private");
  });
});

test("the owner's browser gets access by a link, once", async () => {
  world = await World.create();
  const { session_name: name } = await world.json<{ session_name: string }>("start", "--detach", "--private");
  const { home, dist, env } = world;
  const user = { id: "window", keep: false };
  const manager = new Manager({ home, dist, version, env, user, log: () => {} });
  const url = `http://${name}.shop.localhost:${world.workerPort}/`;
  const link = await manager.ownerUrl(url);
  expect(link).toMatch(
    new RegExp(`^http://${name}\\.shop\\.localhost:${world.workerPort}/linkup/join#\\S+$`),
  );
  expect(await manager.ownerUrl(url)).not.toBe(link);
  // Any other address is none of ours.
  expect(await manager.ownerUrl("https://other.example.com/")).toBe("https://other.example.com/");
});

test("explain says whether a private session allows the request", async () => {
  world = await World.create();
  const text = readFileSync(world.configPath, "utf8");
  const access = "  access: { mode: private, open: [^/webhooks/] }\nservices:";
  writeFileSync(world.configPath, text.replace("services:", access));
  const { session_name: name } = await world.json<{ session_name: string }>("start", "--detach");
  const url = `http://${name}.shop.localhost:${world.workerPort}`;
  expect(await world.json("explain", `${url}/`)).toMatchObject({
    access: { decision: { allowed: false, why: "no-proof" }, unchecked: false },
  });
  expect((await world.linkup("explain", `${url}/`)).stdout).toContain("the request gets 401");
  expect(await world.json("explain", `${url}/webhooks/a`)).toMatchObject({
    access: { decision: { allowed: true, by: "open-path", pattern: "^/webhooks/" } },
  });
  expect(await world.json("explain", `${url}/`, "-H", "linkup-access: x")).toMatchObject({
    access: { unchecked: true },
  });
  // The Worker decides the same.
  await until("a proof to be asked for", async () => (await statusAt(name)) === 401);
  expect((await world.ask(`${name}.shop.localhost`, "/webhooks/a")).status).toBe(200);
});

/** Somebody else's machine, who was invited. */
function colleague(session: string, invite: string) {
  const { folder, dist, env, workerPort } = world;
  const home = join(folder, "colleague");
  const user = { id: "colleague", keep: false };
  const manager = new Manager({ home, dist, version, env, user, log: () => {} });
  const invited = { workerUrl: `http://127.0.0.1:${workerPort}`, session, invite };
  return { manager, invited };
}

/** The code of the problem that the colleague's editor shows. */
async function stateOf(manager: Manager, invited: Parameters<Manager["sharedRouting"]>[0]): Promise<string> {
  return manager.sharedRouting(invited).then(
    () => "running",
    (error: LinkupError) => error.problem.code,
  );
}

test.each(["direct", "deployed"] as const)(
  "a colleague routes a service by an invite, %s",
  async (tunnel) => {
    world = await World.create(tunnel);
    const { session_name: name } = await world.json<{ session_name: string }>("start", "--detach");
    const invite = await world.json<NewInvite>("share", "--may-route", "--for", "Ana");
    expect(invite).toMatchObject({ kind: "token", rights: ["visit", "route"] });
    /** The colleague's machine has another home. */
    const asked = async (...args: string[]) => {
      Object.assign(world.env, { LINKUP_INVITE: invite.token, LINKUP_HOME: join(world.folder, "colleague") });
      try {
        return await world.linkup("route", ...args, "--session", name, "--invite", "--json");
      } finally {
        delete world.env.LINKUP_INVITE;
        world.env.LINKUP_HOME = world.home;
      }
    };
    const services = async () => (await world.json<Snapshot>("status")).sessions[0]!.services;

    expect(await asked("local", "web")).toMatchObject({ code: 0, stdout: '{"web":"local"}\n' });
    expect(await services()).toMatchObject([
      { name: "web", target: "local", routedBy: "Ana" },
      { name: "api" },
    ]);
    expect((await world.linkup("status")).stdout).toMatch(/web +local by Ana/);
    await until("the local copy", async () => (await world.served(name)) === "local web");

    const unknown = await asked("local", "nothing");
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain("This session has no service");

    // The owner's own toggle is the owner's.
    await world.linkup("route", "remote", "web");
    await world.linkup("route", "local", "web");
    expect((await services())[0]).not.toHaveProperty("routedBy");

    // What an editor shows: the targets and who chose them, the end of the session, and of the invite.
    const { manager, invited } = colleague(name, invite.token!);
    expect(await manager.sharedRouting(invited)).toEqual({
      invite: { name: "Ana", expires: invite.expires },
      services: { web: { target: "local" }, api: { target: "remote" } },
    });
    await expect(manager.sharedRouting({ ...invited, invite: "f".repeat(64) })).rejects.toMatchObject({
      problem: { code: "invite-unknown" },
    });
    await world.linkup("stop");
    await until("the stop to be told", async () => (await stateOf(manager, invited)) === "session-unknown");
    await world.json("start", "--detach");
    await until("the session again", async () => (await stateOf(manager, invited)) === "running");

    await world.json("share", "revoke", invite.id);
    expect(await stateOf(manager, invited)).toBe("invite-unknown");
    const refused = await asked("remote", "web");
    expect([refused.code, JSON.parse(refused.stderr).problem.code]).toEqual([5, "invite-unknown"]);
    expect((await services())[0]).toMatchObject({ target: "local" });
  },
);

test("two people at once: no toggle is lost, and both see who did it", async () => {
  world = await World.create();
  const { session_name: name } = await world.json<{ session_name: string }>("start", "--detach");
  const invite = async (whom: string) => {
    const { token } = await world.json<NewInvite>("share", "--may-route", "--for", whom);
    return colleague(name, token!);
  };
  const ana = await invite("Ana");
  const ben = await invite("Ben");
  const { home, dist, env } = world;
  const owner = new Manager({ home, dist, version, env, user: { id: "window", keep: false }, log: () => {} });
  const seen = async () => {
    const { services } = await ana.manager.sharedRouting(ana.invited);
    const here = await owner.session({ name });
    expect(Object.entries(services).map(([name, { target, by }]) => [name, target, by])).toEqual(
      here.services.map(({ name, target, routedBy }) => [name, target, routedBy]),
    );
    return services;
  };

  // Each another service: all three stand.
  await Promise.all([
    owner.route({ name }, ["api"], "local"),
    ana.manager.routeElsewhere(ana.invited, { services: { web: "local" } }),
  ]);
  expect(await seen()).toEqual({ web: { target: "local", by: "Ana" }, api: { target: "local" } });
  await until("the local copy", async () => (await world.served(name)) === "local web");

  // The same one: whoever came last, the same for everybody, and with the right name.
  const choices = { Ana: "remote", Ben: "local" } as const;
  await Promise.all([
    ana.manager.routeElsewhere(ana.invited, { services: { web: choices.Ana } }),
    ben.manager.routeElsewhere(ben.invited, { services: { web: choices.Ben, api: "remote" } }),
    owner.route({ name }, ["api"], "auto"),
  ]);
  const { web } = await seen();
  expect(["Ana", "Ben"]).toContain(web!.by);
  expect(web!.target).toBe(choices[web!.by as keyof typeof choices]);
  await until("the Worker to follow", async () => (await world.served(name)) === `${web!.target} web`);

  // The owner's word clears the name, on both sides.
  await owner.route({ name }, "all", "remote");
  expect(await seen()).toEqual({ web: { target: "remote" }, api: { target: "remote" } });
});

test("a preview is private, too", async () => {
  world = await World.create();
  const preview = await world.json<SessionView>(
    "preview",
    `web=${world.location("local web")}`,
    "--access",
    "private",
  );
  expect(preview).toMatchObject({ kind: "preview", access: "private" });
  const ask = () => statusAt(preview.name!);
  await until("a proof to be asked for", async () => (await ask()) === 401);
  const named = ["--session", preview.name!];
  const { token } = await world.json<NewInvite>("share", "--token", ...named);
  expect(token).toBeTruthy();
  await world.json("share", "--public", ...named);
  await until("everyone to be let in", async () => (await ask()) === 200);
});
