import { expect, test, vi } from "vitest";
import { forwardProxy, forwardProxyTo, proxyAuthorization } from "./forward-proxy.ts";

const PROXY = "http://proxy.corp:3128/";

test.each([
  ["https://a.example.com/", { HTTPS_PROXY: "http://proxy.corp:3128" }, PROXY],
  ["https://a.example.com/", { https_proxy: "proxy.corp:3128", HTTPS_PROXY: "http://other:1" }, PROXY],
  ["https://a.example.com/", { https_proxy: "", HTTPS_PROXY: PROXY }, PROXY],
  ["https://a.example.com/", { HTTP_PROXY: PROXY }, undefined],
  ["http://a.example.com/", { HTTP_PROXY: PROXY }, undefined],
  ["http://a.example.com/", { HTTPS_PROXY: PROXY }, undefined],
  ["https://a.example.com/", { ALL_PROXY: PROXY }, PROXY],
  ["https://a.example.com/", { ALL_PROXY: "socks5://proxy.corp:1080" }, undefined],
  ["https://a.example.com/", { HTTPS_PROXY: "http://[" }, undefined],
  ["https://a.example.com/", {}, undefined],
  ["https://localhost:3000/", { HTTPS_PROXY: PROXY }, undefined],
  ["https://slim.shop.localhost:9443/", { HTTPS_PROXY: PROXY }, undefined],
  ["https://127.0.0.1:1/", { HTTPS_PROXY: PROXY }, undefined],
  ["https://[::1]:1/", { HTTPS_PROXY: PROXY }, undefined],
])("%s with %j", (target, env, proxy) => {
  expect(forwardProxy(target, env)?.href).toBe(proxy);
});

test.each([
  ["*", false],
  ["example.com", false],
  [".example.com", false],
  ["*.example.com", false],
  ["other.test a.example.com", false],
  ["other.test,A.Example.com", false],
  ["a.example.com:8443", false],
  ["a.example.com:443", true],
  ["ample.com", true],
  ["b.a.example.com", true],
  [",. ,:8443", true],
])("NO_PROXY=%s: by the proxy %j", (NO_PROXY, byProxy) => {
  const env = { HTTPS_PROXY: PROXY, NO_PROXY };
  expect(forwardProxy("https://a.example.com:8443/x", env) !== undefined).toBe(byProxy);
});

test.each([
  ["https://10.1.2.3/", "10.0.0.0/8", false],
  ["https://11.1.2.3/", "10.0.0.0/8", true],
  ["https://[fd00::1]/", "fd00::/8,10.0.0.0/99", false],
  ["https://[fd00::1]/", "[fd00::1]", false],
  ["https://10.1.2.3/", "10.0.0.0/99,10.0.0.0/", true],
])("%s with NO_PROXY=%s: by the proxy %j", (target, NO_PROXY, byProxy) => {
  expect(forwardProxy(target, { HTTPS_PROXY: PROXY, NO_PROXY }) !== undefined).toBe(byProxy);
});

test.each([
  [[{ address: "127.0.0.1", family: 4 }], undefined],
  [[{ address: "::1", family: 6 }], undefined],
  [[{ address: "192.0.2.1", family: 4 }], PROXY],
  [[], PROXY],
])("a name that leads to %j", async (addresses, proxy) => {
  vi.stubEnv("HTTPS_PROXY", PROXY);
  const dns = process.getBuiltinModule("node:dns").promises;
  const lookup = vi.spyOn(dns, "lookup").mockImplementation(async () => addresses as never);
  try {
    expect((await forwardProxyTo("https://slim.app.test/"))?.href).toBe(proxy);
    lookup.mockRejectedValue(new Error("ENOTFOUND"));
    expect((await forwardProxyTo("https://slim.app.test/"))?.href).toBe(PROXY);
  } finally {
    lookup.mockRestore();
    vi.unstubAllEnvs();
  }
});

test("its user is told to the proxy", () => {
  expect(proxyAuthorization(new URL("http://ada:p%40ss@proxy.corp"))).toBe(
    `Basic ${Buffer.from("ada:p@ss").toString("base64")}`,
  );
  expect(proxyAuthorization(new URL("http://proxy.corp"))).toBeUndefined();
});
