/** Section 5: headers on the way to the service and back. */
import assert from "node:assert/strict";
import { section } from "./case.ts";
import { respondWith } from "./echo.ts";
import { exampleSession, named, oneService } from "./sessions.ts";
import { line, lines, members, type ProtocolResponse, type ProtocolWorld } from "./world.ts";

const { cases, contract, ours } = section("5");
export default cases;

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]$/;

async function toSession(world: ProtocolWorld): Promise<{ name: string; host: string }> {
  const name = await named(world, oneService(world));
  return { name, host: `${name}.example.com` };
}

contract("traceparent is added: version 00, random ids", async (world) => {
  const { host } = await toSession(world);
  const values = [];
  for (let i = 0; i < 2; i++) values.push(line((await world.seen("/", { host })).rawHeaders, "traceparent"));
  for (const value of values) assert.match(value ?? "", TRACEPARENT);
  assert.notEqual(values[0], values[1]);
});

contract("traceparent that is there stays", async (world) => {
  const { host } = await toSession(world);
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  assert.equal(line((await world.seen("/", { host, traceparent })).rawHeaders, "traceparent"), traceparent);
});

contract("tracestate is the session's member alone when there was none", async (world) => {
  const { name, host } = await toSession(world);
  assert.equal(line((await world.seen("/", { host })).rawHeaders, "tracestate"), `linkup-session=${name}`);
});

contract("tracestate gets the session's member beside those of others", async (world) => {
  const { name, host } = await toSession(world);
  const seen = await world.seen("/", { host, tracestate: "rojo=1,congo=2" });
  const found = members(line(seen.rawHeaders, "tracestate"));
  assert.deepEqual(found.toSorted(), ["congo=2", `linkup-session=${name}`, "rojo=1"]);
  assert.deepEqual(
    found.filter((member) => !member.startsWith("linkup-session")),
    ["rojo=1", "congo=2"],
  );
});

contract("tracestate with the session's member stays", async (world) => {
  const { name, host } = await toSession(world);
  const tracestate = `rojo=1,linkup-session=${name}`;
  assert.equal(line((await world.seen("/", { host, tracestate })).rawHeaders, "tracestate"), tracestate);
});

const VALID_TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

ours("inspect-session", "traceparent is sampled, and an invalid one is replaced", async (world) => {
  const { host } = await toSession(world);
  const seen = async (traceparent: string[]) =>
    lines(
      (await world.seen("/", { host, ...(traceparent.length > 0 ? { traceparent } : {}) })).rawHeaders,
      "traceparent",
    );
  const other = VALID_TRACEPARENT.replace("00-0", "00-1");
  for (const sent of [
    [],
    [VALID_TRACEPARENT, other],
    [`${VALID_TRACEPARENT}, ${other}`],
    ["00-00000000000000000000000000000000-b7ad6b7169203331-01"],
    ["undefined"],
  ]) {
    const arrived = await seen(sent);
    assert.equal(arrived.length, 1);
    assert.match(arrived[0]!, /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/);
  }
  const unsampled = VALID_TRACEPARENT.replace(/01$/, "00");
  assert.deepEqual(await seen([unsampled]), [unsampled]);
});

ours("inspect-session", "illegal and repeated members of tracestate go", async (world) => {
  const { name, host } = await toSession(world);
  for (const [sent, expected] of [
    ["vendor=1,Not A Key=2", `linkup-session=${name},vendor=1`],
    ["a=1,b=2,a=3", `linkup-session=${name},a=1,b=2`],
  ] as const) {
    const seen = await world.seen("/", { host, traceparent: VALID_TRACEPARENT, tracestate: sent });
    assert.equal(line(seen.rawHeaders, "tracestate"), expected);
    assert.equal(line(seen.rawHeaders, "traceparent"), VALID_TRACEPARENT);
  }
});

ours("inspect-session", "baggage names the session and finds it", async (world) => {
  const { name, host } = await toSession(world);
  const seen = await world.seen("/", { host, baggage: "user=1;p" });
  assert.equal(line(seen.rawHeaders, "baggage"), `linkup-session=${name},user=1;p`);
  const found = await world.seen("/", { host: "example.com", baggage: `a=b, linkup-session=${name}` });
  assert.equal(line(found.rawHeaders, "x-forwarded-host"), `${name}.example.com`);
});

ours("inspect-session", "baggage is left alone where the session switches it off", async (world) => {
  const name = await named(world, { ...oneService(world), baggage: false });
  const seen = await world.seen("/", { host: `${name}.example.com`, baggage: "user=1" });
  assert.equal(line(seen.rawHeaders, "baggage"), "user=1");
  const { status } = await world.send("/", { host: "example.com", baggage: `linkup-session=${name}` });
  assert.equal(status, 422);
});

ours("inspect-session", "the session's member of tracestate comes first", async (world) => {
  const { name, host } = await toSession(world);
  const seen = await world.seen("/", { host, tracestate: "rojo=1,congo=2" });
  assert.deepEqual(members(line(seen.rawHeaders, "tracestate")), [
    `linkup-session=${name}`,
    "rojo=1",
    "congo=2",
  ]);
});

ours("inspect-session", "tracestate has 32 members at most", async (world) => {
  const { name, host } = await toSession(world);
  const tracestate = Array.from({ length: 32 }, (_, i) => `k${i}=v`).join(",");
  const found = members(line((await world.seen("/", { host, tracestate })).rawHeaders, "tracestate"));
  assert.deepEqual([found.length, found[0], found[31]], [32, `linkup-session=${name}`, "k30=v"]);
});

contract("linkup-destination is added", async (world) => {
  const { host } = await toSession(world);
  assert.equal(line((await world.seen("/", { host })).rawHeaders, "linkup-destination"), "frontend");
});

contract("linkup-destination that is there stays", async (world) => {
  const name = await named(world, exampleSession(world));
  const seen = await world.seen("/", { host: `${name}.example.com`, "linkup-destination": "backend" });
  assert.equal(line(seen.rawHeaders, "linkup-destination"), "backend");
});

contract("x-forwarded-host is added", async (world) => {
  const { host } = await toSession(world);
  assert.equal(line((await world.seen("/", { host })).rawHeaders, "x-forwarded-host"), host);
});

contract(
  "x-forwarded-host of a request without the session in its host is made of session and domain",
  async (world) => {
    const { name } = await toSession(world);
    const seen = await world.seen("/", { host: "example.com", tracestate: `linkup-session=${name}` });
    assert.equal(line(seen.rawHeaders, "x-forwarded-host"), `${name}.example.com`);
  },
);

contract("x-forwarded-host that is there stays", async (world) => {
  const { name, host } = await toSession(world);
  const forwarded = `${name}.example.com`;
  const seen = await world.seen("/", { host, "x-forwarded-host": forwarded });
  assert.equal(line(seen.rawHeaders, "x-forwarded-host"), forwarded);
});

contract("the client's own headers arrive, once", async (world) => {
  const { host } = await toSession(world);
  const seen = await world.seen("/", { host, "x-own": "a, b", "user-agent": "protocol-test", accept: "x/y" });
  assert.deepEqual(
    ["x-own", "user-agent", "accept"].map((name) => line(seen.rawHeaders, name)),
    ["a, b", "protocol-test", "x/y"],
  );
});

contract("Host is the target's", async (world) => {
  const { host } = await toSession(world);
  const seen = await world.seen("/", { host });
  assert.equal(line(seen.rawHeaders, "host"), new URL(world.services.frontend.url).host);
});

contract("several Cookie lines become one, joined with a semicolon", async (world) => {
  const { host } = await toSession(world);
  const seen = await world.seen("/", { host, cookie: ["a=1", "b=2; c=3"] });
  assert.equal(line(seen.rawHeaders, "cookie"), "a=1; b=2; c=3");
});

contract("one Cookie line stays", async (world) => {
  const { host } = await toSession(world);
  const seen = await world.seen("/", { host, cookie: "a=1; b=2" });
  assert.equal(line(seen.rawHeaders, "cookie"), "a=1; b=2");
});

contract("comma-joined cookies become one line, joined with a semicolon", async (world) => {
  const { host } = await toSession(world);
  const seen = await world.seen("/", { host, cookie: "a=1, b=2" });
  assert.equal(line(seen.rawHeaders, "cookie"), "a=1; b=2");
});

for (const status of [301, 302, 303, 307, 308]) {
  contract(`a redirect with ${status} is not followed`, async (world) => {
    const { host } = await toSession(world);
    const location = `${world.services.backend.url}/elsewhere`;
    const answer = await world.send(respondWith("/", { status, headers: [["location", location]] }), {
      host,
    });
    assert.deepEqual([answer.status, answer.headers.location], [status, location]);
  });
}

contract("every Set-Cookie is a line of its own", async (world) => {
  const { host } = await toSession(world);
  const cookies = ["a=1; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2; HttpOnly", "c=3"];
  const headers = cookies.map((cookie): [string, string] => ["set-cookie", cookie]);
  const answer = await world.send(respondWith("/", { headers, body: "ok" }), { host });
  assert.deepEqual(lines(answer.rawHeaders, "set-cookie"), cookies);
});

for (const status of [200, 201, 400, 401, 403, 404, 409, 422, 500, 503]) {
  contract(`the service's status ${status} and body stay`, async (world) => {
    const { host } = await toSession(world);
    const answer = await world.send(respondWith("/", { status, body: `status ${status}` }), { host });
    assert.deepEqual([answer.status, answer.body], [status, `status ${status}`]);
  });
}

for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
  contract(`${method} arrives with its body`, async (world) => {
    const { host } = await toSession(world);
    const seen = await world.seen("/", { host, "content-type": "text/plain" }, { method, body: "the body" });
    assert.deepEqual([seen.method, seen.body], [method, "the body"]);
  });
}

contract("HEAD is answered without a body", async (world) => {
  const { host } = await toSession(world);
  const answer = await world.send(
    respondWith("/", { headers: [["x-own", "1"]] }),
    { host },
    { method: "HEAD" },
  );
  assert.deepEqual([answer.status, answer.headers["x-own"], answer.body], [200, "1", ""]);
});

contract("a service that cannot be reached: 502", async (world) => {
  const session = oneService(world);
  const services = [{ name: "frontend", location: world.unreachable }];
  const name = await named(world, { ...session, services });
  assert.equal((await world.send("/", { host: `${name}.example.com` })).status, 502);
});

ours(
  "inspect-session",
  "a service that cannot be reached: named with its target and what to do",
  async (world) => {
    const session = oneService(world);
    const services = [{ name: "frontend", location: world.unreachable }];
    const name = await named(world, { ...session, services });
    const answer = await world.send("/", { host: `${name}.example.com` });
    assert.equal(answer.headers["linkup-error"], "service-unreachable");
    for (const part of ['"frontend"', name, world.unreachable, "Is it running"])
      assert.ok(answer.body.includes(part), `${part} is missing in: ${answer.body}`);
  },
);

contract("responses are not cached", async (world) => {
  const { host } = await toSession(world);
  const cached: [string, string][] = [["cache-control", "public, max-age=3600"]];
  const answer = await world.send(respondWith("/", { headers: cached, body: "x" }), { host });
  assert.equal(answer.headers["cache-control"], "no-cache");
});

contract("responses to cache_routes keep their own caching", async (world) => {
  const name = await named(world, { ...oneService(world), cache_routes: ["/static/.*"] });
  const cached: [string, string][] = [["cache-control", "public, max-age=3600"]];
  const host = `${name}.example.com`;
  const answers = [];
  for (const path of ["/v1/static/a.js", "/other"])
    answers.push(await world.send(respondWith(path, { headers: cached, body: "x" }), { host }));
  assert.deepEqual(
    answers.map(({ headers }) => headers["cache-control"]),
    ["public, max-age=3600", "no-cache"],
  );
});

/** A page of the session fetches from another of its domains. */
async function crossOrigin(
  world: ProtocolWorld,
  headers: [string, string][] = [],
): Promise<{ origin: string; answer: ProtocolResponse }> {
  const name = await named(world, exampleSession(world));
  const origin = `https://${name}.example.com`;
  const answer = await world.send(respondWith("/", { headers, body: "x" }), {
    host: "api.example.com",
    origin,
  });
  return { origin, answer };
}

contract("a page of the session may read what another of its domains answers", async (world) => {
  const { origin, answer } = await crossOrigin(world);
  const allowed = line(answer.rawHeaders, "access-control-allow-origin");
  assert.ok(allowed === "*" || allowed === origin, `access-control-allow-origin: ${allowed}`);
});

ours(
  "inspect-session",
  "…with its cookies: the origin is reflected, credentials are allowed",
  async (world) => {
    const { origin, answer } = await crossOrigin(world);
    assert.equal(line(answer.rawHeaders, "access-control-allow-origin"), origin);
    assert.equal(line(answer.rawHeaders, "access-control-allow-credentials"), "true");
    assert.ok(lines(answer.rawHeaders, "vary").join(",").includes("Origin"), "no Vary: Origin");
  },
);

ours("inspect-session", "the service's own CORS headers stand", async (world) => {
  const { answer } = await crossOrigin(world, [["access-control-allow-origin", "https://only.example.org"]]);
  assert.equal(line(answer.rawHeaders, "access-control-allow-origin"), "https://only.example.org");
  assert.equal(line(answer.rawHeaders, "access-control-allow-credentials"), undefined);
});

ours("inspect-session", "another origin gets no CORS headers", async (world) => {
  const { host } = await toSession(world);
  const answer = await world.send(respondWith("/", { headers: [] }), {
    host,
    origin: "https://evil.example.org",
  });
  assert.equal(line(answer.rawHeaders, "access-control-allow-origin"), undefined);
});

ours("inspect-session", "a preflight is answered when the service does not", async (world) => {
  const name = await named(world, exampleSession(world));
  const origin = `https://${name}.example.com`;
  const answer = await world.send(
    respondWith("/", { status: 405, headers: [] }),
    {
      host: "api.example.com",
      origin,
      "access-control-request-method": "PUT",
      "access-control-request-headers": "x-own,content-type",
    },
    { method: "OPTIONS" },
  );
  assert.equal(answer.status, 204);
  assert.deepEqual(
    ["origin", "credentials", "methods", "headers"].map(
      (part) => answer.headers[`access-control-allow-${part}`],
    ),
    [origin, "true", "PUT", "x-own,content-type"],
  );
});

ours("inspect-session", "search engines are told to keep away", async (world) => {
  const { host } = await toSession(world);
  assert.equal((await world.send("/", { host })).headers["x-robots-tag"], "noindex");
});

ours("inspect-session", "a request that goes round in circles is cut off and explained", async (world) => {
  const { host } = await toSession(world);
  const again = { host, "linkup-destination": "frontend", "linkup-hops": "2" };
  assert.equal(line((await world.seen("/", again)).rawHeaders, "linkup-hops"), "3");
  const answer = await world.send("/", { ...again, "linkup-hops": "16" });
  assert.deepEqual([answer.status, answer.headers["linkup-error"]], [508, "loop"]);
});

ours(
  "origin-secret",
  "the secret of the tunnel goes to the laptop only, a client's own to nobody",
  async (world) => {
    const name = world.freshName();
    const { origin_secret } = await world.tunneled({
      services: [
        { name: "laptop", location: "http://localhost:3000" },
        { name: "frontend", location: world.services.frontend.url },
      ],
      domains: [
        {
          domain: "example.com",
          default_service: "laptop",
          routes: [{ path: "^/remote", service: "frontend" }],
        },
      ],
      desired_name: name,
      session_token: "proto",
      tunnel_url: world.services.backend.url,
    });
    const headers = { host: `${name}.example.com`, "linkup-origin-secret": "a guess" };
    const [local, remote] = [await world.seen("/", headers), await world.seen("/remote", headers)];
    assert.deepEqual([local.service, remote.service], ["backend", "frontend"]);
    assert.equal(line(local.rawHeaders, "linkup-origin-secret"), origin_secret);
    assert.equal(line(remote.rawHeaders, "linkup-origin-secret"), undefined);
  },
);
