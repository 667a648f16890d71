/** Section 3: which session does a request belong to. */
import assert from "node:assert/strict";
import { section } from "./case.ts";
import { named, oneService } from "./sessions.ts";
import type { ProtocolWorld, SentHeaders } from "./world.ts";

const { cases, contract, ours } = section("3");
export default cases;

/** The places of a name, best first: the headers that put it there, and that leave the domain to be found. */
const PLACES: [string, (name: string) => SentHeaders][] = [
  ["the host's first label", (name) => ({ host: `${name}.example.com` })],
  ["x-forwarded-host", (name) => ({ "x-forwarded-host": `${name}.example.com` })],
  ["Referer", (name) => ({ referer: `https://${name}.example.com/some/page?a=b` })],
  ["Origin", (name) => ({ origin: `https://${name}.example.com` })],
  ["tracestate", (name) => ({ tracestate: `linkup-session=${name}` })],
];

/** Two sessions whose one service is another one each. */
async function twoSessions(world: ProtocolWorld): Promise<[string, string]> {
  const second = {
    services: [{ name: "backend", location: world.services.backend.url }],
    domains: [{ domain: "example.com", default_service: "backend" }],
  };
  return [await named(world, oneService(world)), await named(world, second)];
}

for (const [place, headers] of PLACES) {
  contract(`the session is named by ${place}`, async (world) => {
    const name = await named(world, oneService(world));
    const seen = await world.seen("/", { host: "example.com", ...headers(name) });
    assert.equal(seen.service, "frontend");
  });
}

ours("inspect-session", "two labels are enough on the domain localhost", async (world) => {
  const name = await named(world, {
    ...oneService(world),
    domains: [{ domain: "localhost", default_service: "frontend" }],
  });
  assert.equal((await world.seen("/", { host: `${name}.localhost:9080` })).service, "frontend");
});

for (const place of ["referer", "origin"]) {
  ours("inspect-session", `${place} counts without a scheme`, async (world) => {
    const name = await named(world, oneService(world));
    const seen = await world.seen("/", { host: "example.com", [place]: `${name}.example.com` });
    assert.equal(seen.service, "frontend");
  });
}

for (const [index, [place, headers]] of PLACES.entries()) {
  const next = PLACES[index + 1];
  if (!next) continue;
  contract(`${place} comes before ${next[0]}`, async (world) => {
    const [first, second] = await twoSessions(world);
    const seen = await world.seen("/", { host: "example.com", ...headers(first), ...next[1](second) });
    assert.equal(seen.service, "frontend");
  });
}

for (const [index, [place, headers]] of PLACES.entries()) {
  const next = PLACES[index + 1];
  if (!next) continue;
  contract(`a name in ${place} that is no session is passed over`, async (world) => {
    const name = await named(world, oneService(world));
    const unknown = world.freshName();
    const seen = await world.seen("/", { host: "example.com", ...headers(unknown), ...next[1](name) });
    assert.equal(seen.service, "frontend");
  });
}

contract("a host of two labels names no session", async (world) => {
  const name = world.freshName();
  const domains = [{ domain: `${name}.test`, default_service: "frontend" }];
  await world.preview({ ...oneService(world), domains, desired_name: name, session_token: "proto" });
  const answer = await world.send("/", { host: `${name}.test` });
  assert.equal(answer.status, 422);
});

contract("the host's port does not matter", async (world) => {
  const name = await named(world, oneService(world));
  assert.equal((await world.seen("/", { host: `${name}.example.com:8443` })).service, "frontend");
});

contract("tracestate is a list, with white space around its members", async (world) => {
  const name = await named(world, oneService(world));
  const tracestate = `rojo=00f067aa0ba902b7 ,  linkup-session=${name}\t, congo=t61rcWkgMzE`;
  assert.equal((await world.seen("/", { host: "example.com", tracestate })).service, "frontend");
});

contract("none: 422 as plain text that is not stored and says what to add", async (world) => {
  const answer = await world.send("/", { host: `${world.freshName()}.example.com` });
  assert.equal(answer.status, 422);
  assert.match(answer.headers["content-type"] ?? "", /^text\/plain\b/);
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.ok(
    answer.body.startsWith("Linkup was unable to determine the session origin of the request."),
    answer.body,
  );
  for (const header of ["x-forwarded-host", "referer", "origin", "tracestate"])
    assert.ok(answer.body.toLowerCase().includes(header), `the answer does not mention ${header}`);
});

ours("inspect-session", "none, for a browser: a page with the same words", async (world) => {
  const answer = await world.send("/", { host: "example.com", accept: "text/html,*/*;q=0.8" });
  assert.equal(answer.status, 422);
  assert.match(answer.headers["content-type"] ?? "", /^text\/html\b/);
  assert.match(answer.body, /Linkup was unable to determine the session origin of the request\./);
  assert.equal(answer.headers["linkup-error"], "unknown-session");
});
