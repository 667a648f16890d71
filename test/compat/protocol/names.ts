/** Section 2: session kinds, names, and when a session is valid. */
import assert from "node:assert/strict";
import { section } from "./case.ts";
import { exampleSession, oneService } from "./sessions.ts";
import type { ProtocolWorld } from "./world.ts";

const { cases, contract, ours } = section("2");
export default cases;

contract("a tunneled session is called adjective-animal when that is asked for", async (world) => {
  const { session_name } = await world.tunneled({ ...oneService(world), name_kind: "animal" });
  assert.match(session_name, /^[a-z]+-[a-z]+$/);
});

contract("a name without a kind is six lower-case alphanumerics", async (world) => {
  const { session_name } = await world.tunneled(oneService(world));
  assert.match(session_name, /^[a-z0-9]{6}$/);
});

contract(
  "a preview without a name is six hexadecimal characters, the same for the same content",
  async (world) => {
    const names = [await world.preview(exampleSession(world)), await world.preview(exampleSession(world))];
    assert.match(names[0]!, /^[0-9a-f]{6}$/);
    assert.equal(names[0], names[1]);
  },
);

contract("…and another one for other content", async (world) => {
  const names = [await world.preview(exampleSession(world)), await world.preview(oneService(world))];
  assert.notEqual(names[0], names[1]);
});

contract("a name that is given is kept", async (world) => {
  const name = world.freshName();
  const body = { ...oneService(world), desired_name: name, session_token: "proto" };
  assert.equal(await world.preview(body), name);
});

contract("a session's owner changes it under its name, as often as wanted", async (world) => {
  const name = world.freshName();
  const body = { ...oneService(world), desired_name: name, session_token: "proto" };
  for (let i = 0; i < 3; i++) assert.equal((await world.tunneled(body)).session_name, name);
});

for (const kind of ["tunneled", "preview"]) {
  contract(`a name belongs to its token: another one is a conflict (${kind})`, async (world) => {
    const name = world.freshName();
    const path = `/linkup/v2/sessions/${kind}`;
    const body = { ...oneService(world), desired_name: name };
    const first = await world.api("POST", path, { ...body, session_token: "one" });
    world.created(name);
    const second = await world.api("POST", path, { ...body, session_token: "two" });
    assert.deepEqual([first.status, second.status, second.body.trim()], [200, 409, "Conflict"]);
  });
}

contract("null and a missing key mean the same for every list", async (world) => {
  const { frontend } = world.services;
  const name = await world.preview({
    services: [{ name: "frontend", location: frontend.url, rewrites: null }],
    domains: [{ domain: "example.com", default_service: "frontend", routes: null }],
    cache_routes: null,
    desired_name: world.freshName(),
    session_token: "proto",
  });
  assert.equal((await world.seen("/", { host: `${name}.example.com` })).service, "frontend");
});

contract("unknown keys are accepted", async (world) => {
  const body = { ...oneService(world), something_new: { a: 1 } };
  await world.preview({ ...body, desired_name: world.freshName(), session_token: "proto" });
});

const INVALID: [string, (world: ProtocolWorld) => object][] = [
  ["no services", (world) => ({ ...oneService(world), services: [] })],
  ["no domains", (world) => ({ ...oneService(world), domains: [] })],
  [
    "a location that is no http URL",
    (world) => ({ ...oneService(world), services: [{ name: "frontend", location: "ftp://x.example.com" }] }),
  ],
  [
    "a location that is no URL",
    (world) => ({ ...oneService(world), services: [{ name: "frontend", location: "here" }] }),
  ],
  [
    "a default_service that does not exist",
    (world) => ({ ...oneService(world), domains: [{ domain: "example.com", default_service: "nobody" }] }),
  ],
  [
    "a route to a service that does not exist",
    (world) => ({
      ...oneService(world),
      domains: [
        { domain: "example.com", default_service: "frontend", routes: [{ path: "/x", service: "nobody" }] },
      ],
    }),
  ],
  [
    "a route that is no regular expression",
    (world) => ({
      ...oneService(world),
      domains: [
        { domain: "example.com", default_service: "frontend", routes: [{ path: "(", service: "frontend" }] },
      ],
    }),
  ],
];

for (const [what, body] of INVALID) {
  contract(`invalid: ${what}`, async (world) => {
    const named = { ...body(world), desired_name: world.freshName(), session_token: "proto" };
    for (const kind of ["tunneled", "preview"]) {
      const answer = await world.api("POST", `/linkup/v2/sessions/${kind}`, named);
      assert.equal(answer.status, 400, `${kind}: ${answer.status} ${answer.body}`);
      assert.ok(answer.body.length > 0, "the 400 gives no reason");
    }
  });
}

ours("inspect-session", "a body that is no object is one problem", async (world) => {
  for (const body of [[], null, 1])
    assert.equal((await world.api("POST", "/linkup/v2/sessions/preview", body)).body, "must be an object");
});

ours("inspect-session", "all problems are told at once", async (world) => {
  const body = {
    services: [{ name: "", location: "ftp://x" }],
    domains: [{ domain: "a", default_service: 1 }],
  };
  const answer = await world.api("POST", "/linkup/v2/sessions/tunneled", body);
  assert.equal(answer.status, 400);
  for (const place of ["services[0].name", "services[0].location", "domains[0].default_service"])
    assert.ok(answer.body.includes(place), `${place} is missing in: ${answer.body}`);
});

for (const name of ["Upper", "-start", "end-", "a.b", "under_score", "a".repeat(64), "ümlaut", "a b"]) {
  ours(
    "inspect-session",
    `a name that is no label of a host name is refused: ${name.slice(0, 20)}`,
    async (world) => {
      const body = { ...oneService(world), desired_name: name, session_token: "proto" };
      const answer = await world.api("POST", "/linkup/v2/sessions/preview", body);
      assert.equal(answer.status, 400);
      assert.match(answer.body, /^desired_name: /);
    },
  );
}

ours("unguessable-names", "a name that cannot be guessed, kept over restarts", async (world) => {
  const body = { ...oneService(world), access: "unguessable", session_token: "proto" };
  const first = (await world.tunneled(body)).session_name;
  assert.match(first, /^[a-z]+-[a-z]+-[a-z0-9]{10}$/);
  assert.equal((await world.tunneled({ ...body, desired_name: first })).session_name, first);
});
