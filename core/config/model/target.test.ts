import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { parseConfig } from "../parse-config.ts";
import { defaultTarget, routingOf } from "./config-model.ts";
import { isTargetName, sessionOfTarget, targetKind } from "./target.ts";

test.each([
  ["local", "local"],
  ["remote", "remote"],
  ["auto", "auto"],
  ["https://pr-12.example.com", "url"],
  ["HTTP://10.0.0.1:3000", "url"],
  ["session:bold-cat", "session"],
  ["staging", "named"],
])("%s is a target of the kind %s", (target, kind) => {
  expect(targetKind(target)).toBe(kind);
  expect(isTargetName(target)).toBe(kind === "named");
});

test("the session of a target", () => {
  expect(sessionOfTarget("session:bold-cat")).toBe("bold-cat");
  expect(sessionOfTarget("bold-cat")).toBeUndefined();
});

function file(service: object, more: object = {}) {
  const services = [
    { name: "web", remote: "https://web.example.net", local: "http://localhost:3000", ...service },
  ];
  const domains = [{ domain: "example.com", default_service: "web" }];
  return parseConfig(
    stringify({ linkup: { worker_url: "https://linkup.example.com" }, services, domains, ...more }),
  );
}

describe("the place of each target", () => {
  const { config } = file({ targets: { staging: "https://staging.example.net" } });
  test.each([
    ["local", { location: "http://localhost:3000" }],
    ["remote", { location: "https://web.example.net" }],
    ["auto", { location: "http://localhost:3000", fallback: "https://web.example.net" }],
    ["https://pr.example.net", { location: "https://pr.example.net" }],
    ["staging", { location: "https://staging.example.net" }],
    ["session:bold-cat", { location: "https://web.example.net", session: "bold-cat" }],
    ["constructor", { location: "https://web.example.net" }],
  ])("%s", (target, place) => {
    expect(routingOf(config!, () => target).services).toEqual([{ name: "web", rewrites: [], ...place }]);
  });
});

test("where the file has a service in a new session", () => {
  const of = (service: object, more?: object) => {
    const { config } = file(service, more);
    return defaultTarget(config!, config!.services[0]!);
  };
  expect(of({})).toBeUndefined();
  expect(of({}, { defaults: { target: "auto" } })).toBe("auto");
  expect(of({ target: "local" }, { defaults: { target: "auto" } })).toBe("local");
});

describe("what is wrong with targets", () => {
  test.each([
    [{ target: "moon" }, /has no target "moon"/],
    [{ target: "aut" }, /Did you mean "auto"/],
    [{ target: "stagin", targets: { staging: "https://a.example" } }, /Did you mean "staging"/],
    [{ targets: { local: "https://a.example" } }, /"local" cannot name a target/],
    [{ targets: { "session:x": "https://a.example" } }, /cannot name a target/],
    [{ targets: { staging: "ftp://a.example" } }, /must be an http or https URL/],
    [{ targets: { staging: "https://a:x" } }, /is not a valid URL/],
    [{ targets: ["https://a.example"] }, /must be/],
  ])("%j", (service, expected) => {
    const { config, diagnostics } = file(service);
    expect(config).toBeUndefined();
    expect(diagnostics.map(({ message }) => message).join("\n")).toMatch(expected);
  });

  test("of the defaults", () => {
    expect(file({}, { defaults: { target: "staging" } }).diagnostics).toMatchObject([
      { message: '"defaults.target" must be "auto", "local" or "remote".' },
    ]);
  });
});
