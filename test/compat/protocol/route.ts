/** Section 4: which service serves a request. */
import assert from "node:assert/strict";
import { section, within } from "./case.ts";
import type { EchoedRequest } from "./echo.ts";
import { exampleSession, named, oneService } from "./sessions.ts";
import { line, type ProtocolWorld, type SentHeaders } from "./world.ts";

const { cases, contract } = section("4");
export default cases;

function reached({ service, target }: EchoedRequest): [string, string] {
  return [service, target];
}

/** The contract's table. `echo` is the name of the service's copy here. */
const EXAMPLES: { url: string; headers?: (name: string) => SentHeaders; echo: string; target: string }[] = [
  { url: "NAME.example.com/?a=b", echo: "frontend", target: "/?a=b" },
  { url: "NAME.example.com/foo/b/c/?a=b", echo: "frontend", target: "/bar/b/c/?a=b" },
  { url: "NAME.example.com/api/v1/?a=b", echo: "backend", target: "/api/v1/?a=b" },
  {
    url: "api.example.com/api/v1/?a=b",
    headers: (name) => ({ tracestate: `linkup-session=${name}` }),
    echo: "backend",
    target: "/api/v1/?a=b",
  },
  {
    url: "example.com/api/v2/user",
    headers: (name) => ({ tracestate: `linkup-session=${name}` }),
    echo: "backend",
    target: "/user",
  },
  {
    url: "other-example.com/",
    headers: (name) => ({ referer: `https://${name}.example.com/` }),
    echo: "other",
    target: "/",
  },
];

for (const { url, headers, echo, target } of EXAMPLES) {
  contract(`example: ${url} reaches ${echo} at ${target}`, async (world) => {
    const name = await named(world, exampleSession(world));
    const slash = url.indexOf("/");
    const host = url.slice(0, slash).replace("NAME", name);
    const seen = await world.seen(url.slice(slash), { host, ...headers?.(name) });
    assert.deepEqual(reached(seen), [echo, target]);
  });
}

contract(
  "example: the next hop, with the headers that the first one added, decides the same",
  async (world) => {
    const name = await named(world, exampleSession(world));
    const first = await world.seen("/api/v2/user", {
      host: "example.com",
      tracestate: `linkup-session=${name}`,
    });
    assert.deepEqual(reached(first), ["backend", "/user"]);
    const passedOn: SentHeaders = {};
    for (const header of ["traceparent", "tracestate", "linkup-destination", "x-forwarded-host"])
      passedOn[header] = line(first.rawHeaders, header) ?? "";
    const second = await world.seen(first.target, { host: "tunnel.example.net", ...passedOn });
    assert.deepEqual(reached(second), ["backend", "/user"]);
  },
);

/** The how-it-works page's session. */
function smartSnake({ services }: ProtocolWorld) {
  return {
    services: [
      { name: "frontend", location: services.frontend.url },
      { name: "api", location: services.backend.url },
      { name: "auth", location: services.other.url },
    ],
    domains: [
      { domain: "example.com", default_service: "frontend", routes: [{ path: "/auth.*", service: "auth" }] },
      { domain: "api.example.com", default_service: "api" },
    ],
  };
}

for (const [url, echo] of [
  ["NAME.example.com/", "frontend"],
  ["NAME.example.com/auth", "other"],
  ["NAME.example.com/auth/login", "other"],
  ["NAME.api.example.com/users", "backend"],
] as const) {
  contract(`smart-snake: ${url} reaches ${echo}`, async (world) => {
    const name = await named(world, smartSnake(world));
    const slash = url.indexOf("/");
    const seen = await world.seen(url.slice(slash), { host: url.slice(0, slash).replace("NAME", name) });
    assert.equal(seen.service, echo);
  });
}

contract("1. linkup-destination names the service, and the path is not rewritten again", async (world) => {
  const name = await named(world, exampleSession(world));
  const seen = await world.seen("/foo/x", {
    host: `${name}.example.com`,
    "linkup-destination": "frontend",
  });
  assert.deepEqual(reached(seen), ["frontend", "/foo/x"]);
});

contract("1. linkup-destination wins over domain and routes", async (world) => {
  const name = await named(world, exampleSession(world));
  const seen = await world.seen("/api/v1/x", {
    host: `${name}.example.com`,
    "linkup-destination": "other-frontend",
  });
  assert.deepEqual(reached(seen), ["other", "/api/v1/x"]);
});

contract("1. linkup-destination that names no service of the session is passed over", async (world) => {
  const name = await named(world, exampleSession(world));
  const seen = await world.seen("/", { host: `${name}.example.com`, "linkup-destination": "nobody" });
  assert.equal(seen.service, "frontend");
});

const HOSTS: [string, (host: string) => SentHeaders][] = [
  ["the URL's host", (host) => ({ host })],
  ["x-forwarded-host", (host) => ({ "x-forwarded-host": host })],
  ["Referer", (host) => ({ referer: `https://${host}/page` })],
  ["Origin", (host) => ({ origin: `https://${host}` })],
];

for (const [index, [place, headers]] of HOSTS.entries()) {
  contract(`2. the domain is found in ${place}`, async (world) => {
    const name = await named(world, exampleSession(world));
    const tracestate = `linkup-session=${name}`;
    const seen = await world.seen("/", {
      host: "nowhere.test",
      tracestate,
      ...headers("other-example.com"),
    });
    assert.equal(seen.service, "other");
  });
  const next = HOSTS[index + 1];
  if (!next) continue;
  contract(`2. ${place} comes before ${next[0]}`, async (world) => {
    const name = await named(world, exampleSession(world));
    const seen = await world.seen("/", {
      host: "nowhere.test",
      tracestate: `linkup-session=${name}`,
      ...headers("other-example.com"),
      ...next[1](`${name}.example.com`),
    });
    assert.equal(seen.service, "other");
  });
}

/** A session of this one domain, for two services, `frontend` by default. */
async function routed(world: ProtocolWorld, routes: { path: string; service: string }[]): Promise<string> {
  const { services } = world;
  return named(world, {
    services: [
      { name: "frontend", location: services.frontend.url },
      { name: "backend", location: services.backend.url },
      { name: "other", location: services.other.url },
    ],
    domains: [{ domain: "example.com", default_service: "frontend", routes }],
  });
}

contract("3. the first route that matches wins", async (world) => {
  const name = await routed(world, [
    { path: "/a/.*", service: "backend" },
    { path: "/a/b", service: "other" },
  ]);
  assert.equal((await world.seen("/a/b", { host: `${name}.example.com` })).service, "backend");
});

contract("3. a route is found anywhere in the path", async (world) => {
  const name = await routed(world, [{ path: "api", service: "backend" }]);
  assert.equal((await world.seen("/v1/api/x", { host: `${name}.example.com` })).service, "backend");
});

contract("3. a route can be anchored", async (world) => {
  const name = await routed(world, [{ path: "^/api$", service: "backend" }]);
  const services = [];
  for (const path of ["/api", "/api/x", "/x/api"])
    services.push((await world.seen(path, { host: `${name}.example.com` })).service);
  assert.deepEqual(services, ["backend", "frontend", "frontend"]);
});

contract("3. the query is no part of what routes look at", async (world) => {
  const name = await routed(world, [{ path: "/api/", service: "backend" }]);
  assert.equal((await world.seen("/x?y=/api/", { host: `${name}.example.com` })).service, "frontend");
});

contract("3. no route matches: the default service", async (world) => {
  const name = await routed(world, [{ path: "/api/.*", service: "backend" }]);
  assert.equal((await world.seen("/other", { host: `${name}.example.com` })).service, "frontend");
});

/** The path after these rewrites. */
async function rewritten(
  world: ProtocolWorld,
  rewrites: { source: string; target: string }[],
  target: string,
): Promise<string> {
  const session = oneService(world);
  const name = await named(world, {
    ...session,
    services: [{ ...session.services[0], rewrites }],
  });
  return (await world.seen(target, { host: `${name}.example.com` })).target;
}

contract("4. rewrites apply in order, each on the result of the one before", async (world) => {
  const rewrites = [
    { source: "/a/", target: "/b/" },
    { source: "/b/", target: "/c/" },
  ];
  assert.equal(await rewritten(world, rewrites, "/a/x"), "/c/x");
});

contract("4. every match is replaced", async (world) => {
  assert.equal(await rewritten(world, [{ source: "x", target: "yy" }], "/x/x/z"), "/yy/yy/z");
});

contract("4. $1, $2 are the groups", async (world) => {
  const rewrites = [{ source: "/(\\w+)/(\\d+)", target: "/$2/$1" }];
  assert.equal(await rewritten(world, rewrites, "/user/42/x"), "/42/user/x");
});

contract("4. the query is kept and not rewritten", async (world) => {
  assert.equal(await rewritten(world, [{ source: "a", target: "b" }], "/a?a=a"), "/b?a=a");
});

contract("5. scheme, host and port are the location's, the incoming port is dropped", async (world) => {
  const name = await named(world, oneService(world));
  const seen = await world.seen("/p", { host: `${name}.example.com:9999` });
  assert.equal(line(seen.rawHeaders, "host"), new URL(world.services.frontend.url).host);
});

contract("5. a path in the location is ignored", async (world) => {
  const session = oneService(world);
  const location = `${world.services.frontend.url}/base/path?x=y`;
  const name = await named(world, { ...session, services: [{ name: "frontend", location }] });
  assert.equal((await world.seen("/p?q=1", { host: `${name}.example.com` })).target, "/p?q=1");
});

contract("5. the path arrives as it was sent: escapes, empty segments, special characters", async (world) => {
  const name = await named(world, oneService(world));
  const target = "/a%20b/%7Ex//c;d=1,2/@:!$&()*+=/%E2%82%AC?x=%26&y=[]&z";
  assert.equal((await world.seen(target, { host: `${name}.example.com` })).target, target);
});

contract("none of the hosts is a domain of the session: 404 that says so", async (world) => {
  const name = await named(world, oneService(world));
  const answer = await world.send("/", { host: `${name}.another.com` });
  assert.equal(answer.status, 404);
  assert.match(answer.headers["content-type"] ?? "", /^text\/plain\b/);
  assert.ok(
    answer.body.startsWith("The request belonged to a session, but there was no target for the request."),
    answer.body,
  );
});

contract("a changed session is followed by the next request", async (world) => {
  const name = world.freshName();
  const body = { ...oneService(world), desired_name: name, session_token: "proto" };
  await world.preview(body);
  assert.equal((await world.seen("/", { host: `${name}.example.com` })).service, "frontend");
  const services = [{ name: "frontend", location: world.services.backend.url }];
  await world.preview({ ...body, services });
  // Within a second, wherever the request arrives.
  await within(1_000, async () =>
    assert.equal((await world.seen("/", { host: `${name}.example.com` })).service, "backend"),
  );
});
