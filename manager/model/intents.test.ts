import { expect, test } from "vitest";
import type { Config } from "../../core/config/model/config-model.ts";
import { applyConfig, applyTarget, checkGivenLocations, ownConfig } from "./intents.ts";
import { newRecord } from "./records.ts";
import { accessOf, targetOf } from "./session-documents.ts";
import { emptyState } from "./state.ts";

const service = (name: string, port: number) => ({
  name,
  remote: `https://${port}.example.com`,
  local: `http://localhost:${port}`,
  rewrites: [],
  health: {},
});
const config = (...services: Config["services"]): Config => ({
  linkup: { worker_url: "https://linkup.example.com", cache_routes: [] },
  services,
  domains: [{ domain: "example.com", default_service: services[0]!.name, routes: [] }],
});

test("a renamed service stays where it is routed, and a new one is remote", () => {
  const before = config(service("web", 3000), service("api", 4000));
  const record = newRecord("isolated", before, {
    config_path: "/shop/linkup.yaml",
    desired: "running",
    targets: { api: "local" },
  });
  const state = { ...emptyState(), sessions: [record] };
  applyConfig(state, "/shop/linkup.yaml", config(service("web", 3000), service("backend", 4000)));
  expect(record.targets).toMatchObject({ backend: "local" });
  applyConfig(state, "/shop/linkup.yaml", config(service("web", 3000), service("other", 5000)));
  expect(record.targets).not.toHaveProperty("other");
});

test("a choice of access is kept until the file says something else, which opens no private session", () => {
  const file = (access?: "public" | "private"): Config => {
    const { linkup, ...rest } = config(service("web", 3000));
    return { ...rest, linkup: access === undefined ? linkup : { ...linkup, access } };
  };
  const after = (chosen: "public" | "private", ...files: Config[]) => {
    const more = { config_path: "/shop/linkup.yaml", desired: "running", access: chosen } as const;
    const record = newRecord("tunneled", files[0]!, more);
    const state = { ...emptyState(), sessions: [record] };
    for (const next of files.slice(1)) applyConfig(state, "/shop/linkup.yaml", next);
    return accessOf(record);
  };
  expect(after("public", file("private"))).toBe("public");
  expect(after("public", file("private"), file("private"))).toBe("public");
  expect(after("public", file(), file("private"))).toBe("private");
  expect(after("private", file(), file("public"))).toBe("private");
});

test.each([
  ["isolated", "h2c://localhost:50051", true],
  ["isolated", "https://10.1.2.3", true],
  ["isolated", "nowhere", false],
  ["preview", "http://web.example.com", true],
  ["preview", "h2c://web.example.com", false],
] as const)("a location in a session that is %s: %s", (kind, location, allowed) => {
  const check = () => checkGivenLocations(kind, config(service("web", 3000)), { web: location });
  if (allowed) expect(check).not.toThrow();
  else expect(check).toThrow(`URL, not "${location}"`);
});

test.each(["constructor", "toString", "__proto__"])("a service may be called %s", (name) => {
  const file = config(service("web", 3000), service(name, 4000));
  const record = newRecord("isolated", file, { config_path: "/shop/linkup.yaml", desired: "running" });
  expect(targetOf(record.targets, name)).toBe("remote");
  expect(ownConfig(record, file).services).toEqual(file.services);
  applyTarget({ ...emptyState(), sessions: [record] }, { configPath: "/shop/linkup.yaml" }, [name], "local");
  expect(targetOf(JSON.parse(JSON.stringify(record.targets)), name)).toBe("local");
  const locations = JSON.parse(`{"${name}": "http://localhost:5000"}`);
  expect(ownConfig({ ...record, locations }, file).services[1]?.local).toBe("http://localhost:5000");
});
