import { expect, test } from "vitest";
import type { SessionRecord } from "./state.ts";
import { hostsBeyondCertificates, sessionUrls, withoutCertificate } from "./urls.ts";

function record(kind: SessionRecord["kind"], domains: string[], more: object = {}): SessionRecord {
  const config = {
    linkup: { worker_url: "https://linkup.example.com" },
    domains: domains.map((domain) => ({ domain })),
  };
  return { name: "slim-gecko", kind, config, worker: null, ...more } as unknown as SessionRecord;
}

test.each<[string, string[]]>([
  ["example.com", []],
  ["api.example.com", ["slim-gecko.api.example.com"]],
  ["example.co.uk", []],
  ["a.b.example.co.uk", ["slim-gecko.a.b.example.co.uk"]],
  ["shop.localhost", []],
  ["api.shop.localhost", []],
])("beyond Cloudflare's own certificates below %s: %j", (domain, hosts) => {
  expect(hostsBeyondCertificates(record("tunneled", [domain]))).toEqual(hosts);
});

test("not of a session on this machine, nor of a Worker here", () => {
  expect(hostsBeyondCertificates(record("isolated", ["api.example.com"]))).toEqual([]);
  const worker = { tunnel: "direct" };
  expect(hostsBeyondCertificates(record("tunneled", ["api.example.com"], { worker }))).toEqual([]);
});

test("a host with a certificate of its own works", () => {
  const domains = ["example.com", "api.example.com", "shop.example.com"];
  const edge_certificates = { hosts: ["slim-gecko.api.example.com"], checked_at: 1 };
  const session = record("preview", domains, { edge_certificates });
  expect(withoutCertificate(session, sessionUrls(session, undefined))).toEqual([
    "https://slim-gecko.shop.example.com/",
  ]);
});
