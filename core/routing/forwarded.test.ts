import { describe, expect, test } from "vitest";
import { clientAddress, clientLocation, forwardedHeaders } from "./forwarded.ts";

const host = "slim-gecko.example.com";

test("the port is that of the URL, or its scheme's", () => {
  expect(clientAddress("http", "example.com:8787").port).toBe(8787);
  expect(clientAddress("https", "example.com").port).toBe(443);
  expect(clientAddress("http", "[::1]").port).toBe(80);
});

test("services are told scheme, host with port, and address of the client", () => {
  const headers = Object.fromEntries(
    forwardedHeaders(host, clientAddress("https", `${host}:8443`, "2001:db8::1")),
  );
  expect(headers).toEqual({
    "x-forwarded-port": "8443",
    "x-forwarded-proto": "https",
    forwarded: `for="[2001:db8::1]";host="${host}:8443";proto=https`,
  });
  expect(forwardedHeaders(host, clientAddress("https", host))).toContainEqual([
    "forwarded",
    `host="${host}";proto=https`,
  ]);
});

test("a port that the host has already is told once", () => {
  expect(forwardedHeaders(`${host}:8443`, clientAddress("http", `${host}:8787`))).toContainEqual([
    "forwarded",
    `host="${host}:8443";proto=http`,
  ]);
});

test("services get the headers of each client, not those of the client before", () => {
  const clients = [
    clientAddress("https", host, "192.0.2.1"),
    clientAddress("https", host, "192.0.2.2"),
    clientAddress("https", host),
    clientAddress("http", host, "192.0.2.1"),
    clientAddress("http", `${host}:81`, "192.0.2.1"),
  ];
  const told = clients.map((client) => JSON.stringify(forwardedHeaders(host, client)));
  expect(new Set(told).size).toBe(clients.length);
  expect(clients.map((client) => JSON.stringify(forwardedHeaders(host, { ...client })))).toEqual(told);
  expect(forwardedHeaders("other.example.com", clients.at(-1)!)).not.toEqual(
    forwardedHeaders(host, clients.at(-1)!),
  );
});

describe("a redirect built from x-forwarded-host", () => {
  const client = clientAddress("https", `${host}:8443`);

  test.each([
    [`http://${host}/in?a=b`, `https://${host}:8443/in?a=b`],
    [`//${host}/in`, `//${host}:8443/in`],
    [`https://${host}`, `https://${host}:8443`],
  ])("%s gets its port back", (location, expected) =>
    expect(clientLocation(location, host, client)).toBe(expected),
  );

  test.each([null, "/in", `https://${host}:9000/in`, "https://other.example.com/in", "not a url"])(
    "%s stays",
    (location) => expect(clientLocation(location, host, client)).toBeUndefined(),
  );

  test("nothing is lost at the default port", () => {
    expect(clientLocation(`http://${host}/in`, host, clientAddress("https", host))).toBeUndefined();
  });
});
