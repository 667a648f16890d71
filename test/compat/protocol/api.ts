/** Section 6: the HTTP API. */
import assert from "node:assert/strict";
import { section, within } from "./case.ts";
import { oneService } from "./sessions.ts";
import type { ProtocolWorld } from "./world.ts";

const { cases, contract, ours } = section("6");
export default cases;

const VERSION = { "x-linkup-version": "2.1.0" };

function local(world: ProtocolWorld, more: object = {}) {
  return {
    services: [{ name: "frontend", location: "http://localhost:3000" }],
    domains: oneService(world).domains,
    session_token: "proto",
    ...more,
  };
}

contract("GET /linkup/check: 200 OK", async (world) => {
  const answer = await world.api("GET", "/linkup/check");
  assert.deepEqual([answer.status, answer.body], [200, "OK"]);
});

const CALLS: [string, string][] = [
  ["GET", "/linkup/check"],
  ["POST", "/linkup/v2/sessions/tunneled"],
  ["POST", "/linkup/v2/sessions/preview"],
  ["POST", "/linkup/local-session"],
  ["POST", "/linkup/preview-session"],
  ["GET", "/linkup/tunnel?session_name=any"],
  ["GET", "/linkup/no-tunnel"],
];

for (const [method, path] of CALLS) {
  const body = method === "POST" ? "{}" : undefined;
  contract(`${method} ${path.split("?")[0]} without the token, or with another one: 401`, async (world) => {
    const statuses = [];
    for (const authorization of [[], "Bearer wrong", world.token, `Basic ${world.token}`, "Bearer "])
      statuses.push((await world.api(method, path, body, { authorization })).status);
    assert.deepEqual(statuses, [401, 401, 401, 401, 401]);
  });
}

contract("POST /linkup/v2/sessions/tunneled: the name and what cloudflared needs", async (world) => {
  const name = world.freshName();
  const before = Date.now();
  const { session_name, tunnel_data } = await world.tunneled(local(world, { desired_name: name }));
  assert.equal(session_name, name);
  for (const key of ["account_id", "name", "url", "id", "secret"])
    assert.equal(typeof tunnel_data[key], "string", `tunnel_data.${key}`);
  assert.ok(String(tunnel_data.name).endsWith(name), `the tunnel's name is ${tunnel_data.name}`);
  assert.ok(URL.canParse(String(tunnel_data.url)), `the tunnel's url is ${tunnel_data.url}`);
  assert.equal(Buffer.from(String(tunnel_data.secret), "base64").length, 32);
  const started = Number(tunnel_data.last_started);
  assert.ok(Math.abs(started - before) < 600_000, `last_started is ${started}, now is ${before}`);
});

contract("POST /linkup/v2/sessions/tunneled again: the same tunnel, started later", async (world) => {
  const body = local(world, { desired_name: world.freshName() });
  const [first, second] = [await world.tunneled(body), await world.tunneled(body)];
  for (const key of ["account_id", "name", "url", "id", "secret"])
    assert.equal(second.tunnel_data[key], first.tunnel_data[key], key);
  assert.ok(Number(second.tunnel_data.last_started) >= Number(first.tunnel_data.last_started));
});

contract("POST /linkup/v2/sessions/tunneled without a name gives one", async (world) => {
  const names = new Set<string>();
  for (let i = 0; i < 3; i++) names.add((await world.tunneled(local(world))).session_name);
  assert.equal(names.size, 3);
});

contract("POST /linkup/v2/sessions/tunneled with name_kind six_char", async (world) => {
  const { session_name } = await world.tunneled(local(world, { name_kind: "six_char" }));
  assert.match(session_name, /^[a-z0-9]{6}$/);
});

ours(
  "origin-secret",
  "POST /linkup/v2/sessions/tunneled: origin_secret, the same each time",
  async (world) => {
    const body = local(world, { desired_name: world.freshName() });
    const [first, second] = [await world.tunneled(body), await world.tunneled(body)];
    assert.ok((first.origin_secret ?? "").length >= 32, "no origin_secret");
    assert.equal(second.origin_secret, first.origin_secret);
  },
);

contract("POST /linkup/v2/sessions/preview: the name", async (world) => {
  const name = world.freshName();
  const answer = await world.api("POST", "/linkup/v2/sessions/preview", {
    ...oneService(world),
    desired_name: name,
    session_token: "proto",
  });
  world.created(name);
  assert.deepEqual([answer.status, JSON.parse(answer.body)], [200, { session_name: name }]);
});

contract("POST /linkup/v2/sessions/preview with a location on localhost: 400", async (world) => {
  const answer = await world.api("POST", "/linkup/v2/sessions/preview", local(world));
  assert.equal(answer.status, 400);
});

for (const kind of ["v2/sessions/tunneled", "v2/sessions/preview", "local-session", "preview-session"]) {
  contract(
    `POST /linkup/${kind} with a body that is no JSON, or no session: 400 with a reason`,
    async (world) => {
      for (const body of ["", "{", "[]", "null", '"text"', "{}"]) {
        const answer = await world.api("POST", `/linkup/${kind}`, body, VERSION);
        assert.equal(answer.status, 400, `${JSON.stringify(body)}: ${answer.status} ${answer.body}`);
        assert.notEqual(answer.body, "");
      }
    },
  );
}

contract("POST /linkup/local-session: the name as text", async (world) => {
  const name = world.freshName();
  const answer = await world.api(
    "POST",
    "/linkup/local-session",
    local(world, { desired_name: name }),
    VERSION,
  );
  world.created(name);
  assert.deepEqual([answer.status, answer.body], [200, name]);
});

contract("POST /linkup/local-session with an empty name: an animal", async (world) => {
  const answer = await world.api(
    "POST",
    "/linkup/local-session",
    local(world, { desired_name: "" }),
    VERSION,
  );
  assert.equal(answer.status, 200);
  assert.match(world.created(answer.body), /^[a-z]+-[a-z]+$/);
});

contract("POST /linkup/local-session for a name of another token: a fresh name", async (world) => {
  const name = world.freshName();
  const post = (session_token: string) =>
    world.api("POST", "/linkup/local-session", local(world, { desired_name: name, session_token }), VERSION);
  const [first, second] = [await post("one"), await post("two")];
  world.created(first.body);
  world.created(second.body);
  assert.deepEqual([first.status, second.status, first.body], [200, 200, name]);
  assert.notEqual(second.body, name);
});

const VERSIONS: [string, string | undefined, number, string?][] = [
  ["absent", undefined, 401, "No x-linkup-version header, please upgrade your Linkup CLI."],
  ["unreadable", "newest", 401, "Invalid x-linkup-version header."],
  ["2.1", "2.1", 401, "Invalid x-linkup-version header."],
  ["2.0.9", "2.0.9", 401, "Your Linkup CLI is outdated, please upgrade to the latest version."],
  ["1.99.0", "1.99.0", 401, "Your Linkup CLI is outdated, please upgrade to the latest version."],
  ["2.1.0", "2.1.0", 200],
  ["10.0.0", "10.0.0", 200],
  ["a pre-release of an old one, 2.0.0-next.1", "2.0.0-next.1", 200],
];

for (const [what, version, status, sentence] of VERSIONS) {
  contract(`POST /linkup/local-session from version ${what}: ${status}`, async (world) => {
    const name = world.freshName();
    const headers = version === undefined ? {} : { "x-linkup-version": version };
    const answer = await world.api(
      "POST",
      "/linkup/local-session",
      local(world, { desired_name: name }),
      headers,
    );
    world.created(name);
    assert.deepEqual([answer.status, answer.body.trim()], [status, sentence ?? name]);
  });
}

contract("POST /linkup/preview-session: a name of six characters as text", async (world) => {
  const answer = await world.api("POST", "/linkup/preview-session", oneService(world));
  assert.equal(answer.status, 200);
  assert.match(world.created(answer.body), /^[a-z0-9]{6}$/);
  assert.equal((await world.seen("/", { host: `${answer.body}.example.com` })).service, "frontend");
});

contract("GET /linkup/tunnel?session_name=N: the tunnel of the session", async (world) => {
  const name = world.freshName();
  const { tunnel_data } = await world.tunneled(local(world, { desired_name: name }));
  const answer = await world.api("GET", `/linkup/tunnel?session_name=${name}`);
  assert.equal(answer.status, 200);
  const again = JSON.parse(answer.body);
  for (const key of ["account_id", "name", "url", "id", "secret"])
    assert.equal(again[key], tunnel_data[key], key);
});

contract("GET /linkup/tunnel for a session of the first API", async (world) => {
  const name = world.freshName();
  await world.api("POST", "/linkup/local-session", local(world, { desired_name: name }), VERSION);
  world.created(name);
  const answer = await world.api("GET", `/linkup/tunnel?session_name=${name}`);
  assert.equal(answer.status, 200);
  assert.ok(JSON.parse(answer.body).name.endsWith(name));
});

contract("GET /linkup/no-tunnel: 422", async (world) => {
  const answer = await world.api("GET", "/linkup/no-tunnel");
  assert.equal(answer.status, 422);
  assert.equal(
    answer.body.trim(),
    "This linkup session has no associated tunnel / was started with --no-tunnel",
  );
});

contract("anything else is for the proxy", async (world) => {
  const answer = await world.send(`/${world.freshName()}`, {});
  assert.equal(answer.status, 422);
});

contract("a path that only begins like the API's is for the proxy", async (world) => {
  const name = await world.preview({
    ...oneService(world),
    desired_name: world.freshName(),
    session_token: "proto",
  });
  const seen = await world.seen("/linkup-docs/check", { host: `${name}.example.com` });
  assert.deepEqual([seen.service, seen.target], ["frontend", "/linkup-docs/check"]);
});

ours(
  "inspect-session",
  "GET /linkup/v2/capabilities says version, tunnels and capabilities",
  async (world) => {
    const { version, tunnel, capabilities } = JSON.parse(
      (await world.api("GET", "/linkup/v2/capabilities")).body,
    );
    assert.match(version, /^\d+\.\d+\.\d+/);
    assert.ok(["cloudflare", "direct"].includes(tunnel), tunnel);
    assert.ok(capabilities.includes("inspect-session"));
  },
);

ours("list-sessions", "GET /linkup/v2/sessions, all and by pattern", async (world) => {
  const [one, two] = [world.freshName(), world.freshName()];
  for (const desired_name of [one, two])
    await world.preview({ ...oneService(world), desired_name, session_token: "proto" });
  const names = async (query: string) => {
    const { sessions } = JSON.parse((await world.api("GET", `/linkup/v2/sessions${query}`)).body);
    return sessions.map(({ session_name }: { session_name: string }) => session_name);
  };
  const all = await names("");
  assert.ok(all.includes(one) && all.includes(two), all.join(" "));
  assert.deepEqual(await names(`?name=${one}`), [one]);
  assert.deepEqual(await names(`?name=${one.slice(0, -1)}%3F`), [one]);
  assert.ok((await names("?name=proto-*")).includes(two));
  assert.deepEqual(await names("?name=nothing-like-it-*"), []);
});

ours("inspect-session", "GET /linkup/v2/sessions/:name: all but its secrets", async (world) => {
  const name = world.freshName();
  const { origin_secret, tunnel_data } = await world.tunneled(
    local(world, { desired_name: name, session_token: "a-secret-token" }),
  );
  const answer = await world.api("GET", `/linkup/v2/sessions/${name}`);
  const details = JSON.parse(answer.body);
  assert.deepEqual([details.session_name, details.session_kind], [name, "tunneled"]);
  assert.equal(details.services[0].name, "frontend");
  assert.equal(details.tunnel.url, tunnel_data.url);
  for (const secret of ["a-secret-token", String(origin_secret), String(tunnel_data.secret)])
    assert.ok(!answer.body.includes(secret), `a secret is in: ${answer.body}`);
});

ours(
  "delete-session",
  "DELETE /linkup/v2/sessions/:name: 204, then 404, then the session is unknown",
  async (world) => {
    const name = world.freshName();
    await world.preview({ ...oneService(world), desired_name: name, session_token: "proto" });
    const path = `/linkup/v2/sessions/${name}`;
    const statuses = [];
    for (const method of ["DELETE", "DELETE", "GET"]) statuses.push((await world.api(method, path)).status);
    assert.deepEqual(statuses, [204, 404, 404]);
    assert.equal((await world.send("/", { host: `${name}.example.com` })).status, 422);
  },
);

ours(
  "delete-by-pattern",
  "DELETE /linkup/v2/sessions?name=PATTERN deletes these and no others",
  async (world) => {
    const start = world.freshName();
    for (const end of ["1", "2", "10"])
      await world.preview({
        ...oneService(world),
        desired_name: `${start}-pr-${end}`,
        session_token: "proto",
      });
    const answer = await world.api("DELETE", `/linkup/v2/sessions?name=${start}-pr-%3F`);
    assert.deepEqual(JSON.parse(answer.body), { deleted: [`${start}-pr-1`, `${start}-pr-2`] });
    assert.equal((await world.api("DELETE", "/linkup/v2/sessions")).status, 400);
    assert.equal((await world.api("GET", `/linkup/v2/sessions/${start}-pr-10`)).status, 200);
  },
);

ours("expiry", "expires_in: the session says when it ends, and then it does", async (world) => {
  const name = world.freshName();
  const body = { ...oneService(world), desired_name: name, session_token: "proto", expires_in: 1 };
  await world.preview(body);
  const { expires, updated } = JSON.parse((await world.api("GET", `/linkup/v2/sessions/${name}`)).body);
  assert.equal(expires - updated, 1000);
  // A second until it ends, and one for which it may be remembered.
  await within(2_100, async () =>
    assert.equal((await world.send("/", { host: `${name}.example.com` })).status, 422),
  );
  for (const expires_in of [0, -1, 1.5, "soon", 1e12])
    assert.equal(
      (await world.api("POST", "/linkup/v2/sessions/preview", { ...body, expires_in })).status,
      400,
    );
});

ours("named-tokens", "/linkup/v2/tokens: created, used, listed without its value, revoked", async (world) => {
  const name = world.freshName();
  const { token } = JSON.parse((await world.api("POST", "/linkup/v2/tokens", { name })).body);
  const check = async () =>
    (await world.api("GET", "/linkup/check", undefined, { authorization: `Bearer ${token}` })).status;
  assert.equal(await check(), 200);
  assert.equal((await world.api("POST", "/linkup/v2/tokens", { name })).status, 409);
  const listed = (await world.api("GET", "/linkup/v2/tokens")).body;
  assert.ok(listed.includes(name) && !listed.includes(token), listed);
  const asNamed = { authorization: `Bearer ${token}` };
  assert.equal((await world.api("GET", "/linkup/v2/tokens", undefined, asNamed)).status, 403);
  assert.equal((await world.api("DELETE", `/linkup/v2/tokens/${name}`)).status, 204);
  assert.equal(await check(), 401);
});
