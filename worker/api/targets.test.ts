import { describe, expect, test } from "vitest";
import { isPrivateHost } from "../../core/session/host-name.ts";
import type { Session } from "../../core/session/session-document.ts";
import { locationProblems } from "./targets.ts";

function problems(location: string, more: { kind?: Session["kind"]; direct?: boolean } = {}): string[] {
  const session: Session = {
    kind: more.kind ?? "tunneled",
    session_token: "t",
    services: [{ name: "web", location, rewrites: [] }],
    domains: [],
    cache_routes: [],
  };
  return locationProblems(session, "linkup.example.com", more.direct ?? false);
}

describe("private addresses and names", () => {
  test.each([
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "[::1]",
    "[::]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[fe80::1]",
    "[::ffff:7f00:1]",
    "[::ffff:0:0]",
    "[64:ff9b::a00:1]",
    "[2002:7f00:1::]",
    "[2001:0:0:1::]",
    "[2001:db8::1]",
    "[ff02::1]",
    "metadata.google.internal",
    "db.internal.",
    "printer.local",
    "router.lan",
    "app.localhost",
    "intranet",
    "x.home.arpa",
  ])("%s is", (host) => expect(isPrivateHost(host)).toBe(true));

  test.each([
    "8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
    "192.169.0.1",
    "[2606:4700::1111]",
    "[2001:4860:4860::8888]",
    "example.com",
    "internal.example.com",
    "local.dev",
    "localhost.example.org",
  ])("%s is not", (host) => expect(isPrivateHost(host)).toBe(false));
});

describe("locations of a session", () => {
  test("a public one is fine", () => expect(problems("https://web.example.org/path")).toEqual([]));

  test.each(["http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]:3000", "http://app.localhost"])(
    "%s goes through the tunnel, and so in no preview",
    (location) => {
      expect(problems(location)).toEqual([]);
      expect(problems(location, { kind: "preview" })).toEqual([
        `services[0].location: ${location} (service "web") is on this machine, which a preview session cannot reach`,
      ]);
    },
  );

  test.each([
    "http://10.1.2.3",
    "http://169.254.169.254/latest/meta-data",
    "http://metadata.google.internal",
    "http://0x7f.1",
    "http://2130706433",
    "http://017700000001",
    "http://user:pass@192.168.0.1",
    "http://１２７.0.0.1",
    "http://[::ffff:10.0.0.1]",
  ])("%s is refused", (location) => {
    expect(problems(location)).toEqual([expect.stringContaining("is a private address")]);
  });

  test("the Worker's own address is, except for its answer for sessions without a tunnel", () => {
    expect(problems("https://linkup.example.com/anything")).toEqual([
      expect.stringContaining("is the address of Linkup's Worker itself"),
    ]);
    expect(problems("https://linkup.example.com/linkup/no-tunnel")).toEqual([]);
  });

  test("on one machine only localhost means the laptop, and private addresses are targets", () => {
    expect(problems("http://127.0.0.1:4101", { kind: "preview", direct: true })).toEqual([]);
    expect(problems("http://192.168.0.1", { direct: true })).toEqual([]);
    expect(problems("http://localhost:3000", { kind: "preview", direct: true })).toHaveLength(1);
    expect(problems("http://LOCALHOST.:3000", { kind: "preview", direct: true })).toHaveLength(1);
  });
});
