import { describe, expect, test } from "vitest";
import type { Config } from "../../core/config/model/config-model.ts";
import { isOlder } from "../../core/version-order.ts";
import { forgetUnused, newRecord } from "../model/records.ts";
import { asLocalhost, upsertRequest } from "../model/session-documents.ts";
import { emptyState } from "../model/state.ts";
import { resolvesByItself, sessionUrls } from "../model/urls.ts";
import { isOutdated } from "../model/worker-version.ts";

const config: Config = {
  linkup: { worker_url: "http://127.0.0.1:8787", cache_routes: [] },
  services: [
    {
      name: "web",
      remote: "http://127.0.0.1:4101",
      local: "http://127.0.0.1:3101",
      rewrites: [],
      health: {},
    },
    { name: "api", remote: "https://api.example.com", local: "http://[::1]:3102/", rewrites: [], health: {} },
  ],
  domains: [
    { domain: "example.com", default_service: "web", routes: [] },
    { domain: "api.example.com", default_service: "api", routes: [] },
  ],
};

describe("the Worker sees this machine, and locations that only it reaches, as localhost", () => {
  test.each([
    ["http://127.0.0.1:3000", "http://localhost:3000/"],
    ["http://[::1]:3000/a", "http://localhost:3000/a"],
    ["http://0.0.0.0:3000", "http://localhost:3000/"],
    ["http://app.localhost:3000", "http://localhost:3000/"],
    ["http://localhost:3000", "http://localhost:3000/"],
    ["http://192.168.1.5:3000", "http://localhost:3000/"],
    ["http://[fd12::5]:3000", "http://localhost:3000/"],
    ["http://203.0.114.5:3000", "http://203.0.114.5:3000"],
    ["https://example.com", "https://example.com"],
    ["h2c://127.0.0.1:50051", "http://localhost:50051/"],
  ])("%s → %s", (location, sent) => expect(asLocalhost(location)).toBe(sent));

  test("but only for what runs here", () => {
    const record = newRecord("tunneled", config, { targets: { api: "local" } });
    expect(upsertRequest(record, undefined).services.map(({ location }) => location)).toEqual([
      "http://127.0.0.1:4101",
      "http://localhost:3102/",
    ]);
  });
});

test("a session without a name asks for one, a session with a name for its own", () => {
  const record = newRecord("tunneled", config);
  expect(upsertRequest(record, undefined)).toMatchObject({ name_kind: "animal" });
  expect(upsertRequest(record, undefined)).not.toHaveProperty("desired_name");
  const named = upsertRequest({ ...record, name: "slim-gecko" }, "http://127.0.0.1:9000");
  expect(named).toMatchObject({ desired_name: "slim-gecko", tunnel_url: "http://127.0.0.1:9000" });
  expect(named).not.toHaveProperty("name_kind");
});

describe("the URLs of a session", () => {
  const tunneled = newRecord("tunneled", config, { name: "slim-gecko" });
  const direct = { version: "1", tunnel: "direct" as const, capabilities: [] };
  test.each([
    ["without a name", { ...tunneled, name: null }, []],
    ["at the edge", tunneled, ["https://slim-gecko.example.com/", "https://slim-gecko.api.example.com/"]],
    [
      "with a Worker on this machine",
      { ...tunneled, worker: direct },
      ["http://slim-gecko.example.com:8787/", "http://slim-gecko.api.example.com:8787/"],
    ],
    [
      "on this machine only",
      newRecord("isolated", config, { name: "a1b2c3" }),
      ["http://a1b2c3.example.com:9080/", "http://a1b2c3.api.example.com:9080/"],
    ],
  ])("%s", (_, record, urls) =>
    expect(sessionUrls(record, { http_port: 9080, https_port: null })).toEqual(urls),
  );
});

test.each([
  ["localhost", true],
  ["shop.localhost", true],
  ["notlocalhost", false],
  ["localhost.example.com", false],
])("%s is found by browsers: %s", (domain, found) => expect(resolvesByItself(domain)).toBe(found));

test.each([
  ["1.2.3", "1.2.3", false],
  ["1.2.3", "1.2.4", true],
  ["1.2.3", "1.10.0", true],
  ["2.0.0", "1.99.99", false],
  ["0.1.0-beta", "0.1.0", false],
])("%s is older than %s: %s", (version, than, older) => expect(isOlder(version, than)).toBe(older));

test.each([
  ["original", "0.1.0", true],
  ["0.1.9", "0.2.0", true],
  ["0.9.0", "1.0.0", true],
  ["1.0.0", "1.4.0", false],
  ["2.0.0", "1.4.0", false],
  ["0.1.0", "0.1.7", false],
])("a Worker of version %s is outdated for %s: %s", (version, ours, outdated) =>
  expect(isOutdated({ version, tunnel: "direct", capabilities: [] }, ours)).toBe(outdated),
);

describe("a session that was not started for long is forgotten", () => {
  const DAY = 24 * 3600_000;
  const remembered = (days: number, more = {}, isThere = true) => {
    const state = emptyState();
    state.sessions = [newRecord("tunneled", config, { config_path: "/a/linkup.yaml", since: 0, ...more })];
    forgetUnused(state, days * DAY, () => isThere);
    return state.sessions.length === 1;
  };

  test("after 90 days, and not before", () => {
    expect(remembered(89)).toBe(true);
    expect(remembered(91)).toBe(false);
  });

  test("when its file is gone, after two weeks: it may be on another branch", () => {
    expect(remembered(13, {}, false)).toBe(true);
    expect(remembered(15, {}, false)).toBe(false);
  });

  test("never while it runs, or something of it is left", () => {
    expect(remembered(1_000, { desired: "running" }, false)).toBe(true);
    expect(remembered(1_000, { worker_hash: "there" }, false)).toBe(true);
  });
});
