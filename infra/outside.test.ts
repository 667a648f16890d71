import { expect, test } from "vitest";
import { checkFromOutside, type OutsideNetwork } from "./outside.ts";
import { waitUntilLive } from "./wait.ts";

const answer = (status: number, text: string, headers: Record<string, string> = { "cf-ray": "1" }) => ({
  status,
  headers: new Headers(headers),
  text,
});
const CAPABLE = JSON.stringify({ version: "1.2.3", capabilities: ["tunnel-check"] });

function network(more: Partial<OutsideNetwork> = {}): OutsideNetwork {
  return {
    resolve: async () => "104.16.0.1",
    certificate: async () => "Nov 28 2027",
    get: async (url) => answer(200, url.endsWith("tunnel-check") ? '{"problem":null}' : CAPABLE),
    ...more,
  };
}
const fails =
  (code: string, message = code) =>
  async () => {
    throw Object.assign(new Error(message), { code });
  };
const check = (stand: OutsideNetwork, more: object = {}) =>
  checkFromOutside(
    { zone: "example.com", zoneStatus: "active", version: "1.2.3", workerToken: "t", ...more },
    stand,
  );
const lines = async (checks: ReturnType<typeof check>) =>
  (await checks).map(({ name, ok, detail }) => `${ok ? "ok" : "fails"} ${name}: ${detail}`);

test("a live deployment: name, certificate, version, the rights of the Worker's token", async () => {
  expect(await lines(check(network()))).toEqual([
    "ok DNS linkup.example.com: 104.16.0.1",
    "ok TLS linkup.example.com: valid until Nov 28 2027",
    "ok Worker linkup.example.com: version 1.2.3",
    "ok tunnels of linkup.example.com: the Worker's own token may manage them",
  ]);
});

test.each([
  [
    "a zone that is not active",
    network(),
    { zoneStatus: "pending" },
    "The zone is pending. At the registrar",
  ],
  ["no DNS record yet", network({ resolve: fails("ENOTFOUND") }), {}, "New records take some minutes"],
  [
    "Universal SSL pending",
    network({ certificate: fails("ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "handshake failure") }),
    {},
    "Universal SSL is pending",
  ],
  [
    "a host two labels deep",
    network({ certificate: fails("ERR_TLS_CERT_ALTNAME_INVALID") }),
    {},
    "needs Advanced Certificate Manager",
  ],
  [
    "a certificate of somebody else",
    network({ certificate: fails("DEPTH_ZERO_SELF_SIGNED_CERT") }),
    {},
    "Is the DNS record proxied",
  ],
  [
    "a record that is not proxied",
    network({ get: async () => answer(200, "shop", {}) }),
    {},
    "is not proxied",
  ],
  [
    "no route",
    network({ get: async () => answer(522, "") }),
    {},
    "it answers 522. A new route takes some seconds",
  ],
  [
    "a wrong token",
    network({ get: async () => answer(401, "Unauthorized") }),
    {},
    "it refuses the worker token",
  ],
  [
    "a token of the Worker's own without its rights",
    network({
      get: async (url) =>
        answer(200, url.endsWith("tunnel-check") ? '{"problem":"Cloudflare refused."}' : CAPABLE),
    }),
    {},
    'Cloudflare refused. It needs "Account · Cloudflare Tunnel · Edit"',
  ],
])("%s is named, with what helps", async (_, stand, more, said) => {
  const found = await lines(check(stand, more));
  expect(found.at(-1)).toMatch(/^fails /);
  expect(found.at(-1)).toContain(said);
});

test("another version is told; without a token it is enough that the Worker asks for one", async () => {
  expect((await lines(check(network(), { version: "1.3.0" })))[2]).toContain(
    "version 1.2.3; this Linkup is 1.3.0",
  );
  const asks = network({ get: async () => answer(401, "Unauthorized") });
  expect((await lines(check(asks, { workerToken: undefined }))).at(-1)).toMatch(
    /^ok Worker.*asks for the worker token/,
  );
});

test("waiting says what is missing, each time it is something else, and ends when all is there", async () => {
  const missing: string[] = [];
  const found = [
    [{ name: "DNS a", ok: false, detail: "no" }],
    [{ name: "DNS a", ok: false, detail: "no" }],
    [{ name: "TLS a", ok: false, detail: "pending" }],
    [{ name: "TLS a", ok: true, detail: "valid" }],
  ];
  const live = await waitUntilLive(async () => found.shift()!, {
    timeoutMs: 10_000,
    intervalMs: 1,
    onMissing: ({ name }) => missing.push(name),
  });
  expect([live, missing]).toEqual([[], ["DNS a", "TLS a"]]);
});

test("waiting ends with its time, and when it is cancelled: what is missing is returned", async () => {
  const failing = { name: "DNS a", ok: false, detail: "no" };
  const options = { intervalMs: 1, onMissing: () => {} };
  expect(await waitUntilLive(async () => [failing], { ...options, timeoutMs: 0 })).toEqual([failing]);
  const abort = new AbortController();
  abort.abort();
  expect(
    await waitUntilLive(async () => [failing], { ...options, timeoutMs: 60_000, signal: abort.signal }),
  ).toEqual([failing]);
});
