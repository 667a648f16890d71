import { X509Certificate as NodeCertificate } from "node:crypto";
import { expect, test } from "vitest";
import {
  certificateInfo,
  createAuthority,
  issueLeaf,
  LEAF_DAYS,
  needsRenewal,
  permitsHost,
} from "./certificate-authority.ts";

const now = Date.UTC(2026, 10, 20);
const day = 86_400_000;

test("an authority says which domains it may vouch for", async () => {
  const { certificate, key } = await createAuthority(["example.com", "other.test"], now);
  const facts = await certificateInfo(certificate);
  expect(facts.domains).toEqual(["example.com", "other.test"]);
  const node = new NodeCertificate(certificate);
  expect(node.ca).toBe(true);
  expect(node.fingerprint256.replaceAll(":", "").toLowerCase()).toBe(facts.sha256);
  expect(node.fingerprint.replaceAll(":", "")).toBe(facts.sha1);
  expect(key).toContain("BEGIN PRIVATE KEY");
});

test("a leaf covers the domain and the hosts right under it, for 90 days", async () => {
  const authority = await createAuthority(["example.com"], now);
  const { certificate } = await issueLeaf(authority, "example.com", now);
  const node = new NodeCertificate(certificate);
  expect(node.subjectAltName).toBe("DNS:example.com, DNS:*.example.com");
  expect(node.ca).toBe(false);
  expect(node.checkIssued(new NodeCertificate(authority.certificate))).toBe(true);
  expect(node.verify(new NodeCertificate(authority.certificate).publicKey)).toBe(true);
  expect(node.validFromDate.getTime()).toBeLessThan(now);
  expect(node.validToDate.getTime()).toBe(now + LEAF_DAYS * day);
  expect((await certificateInfo(certificate)).domains).toEqual([]);
});

test("no leaf outlives its authority", async () => {
  const authority = await createAuthority(["example.com"], now - 3 * 365 * day + 10 * day);
  const { certificate } = await issueLeaf(authority, "example.com", now);
  expect((await certificateInfo(certificate)).notAfter).toBe(
    (await certificateInfo(authority.certificate)).notAfter,
  );
});

test("a leaf is due a month before its end, unless its authority ends with it", () => {
  const later = now + 365 * day;
  expect(needsRenewal({ notAfter: now + 31 * day }, later, now)).toBe(false);
  expect(needsRenewal({ notAfter: now + 29 * day }, later, now)).toBe(true);
  expect(needsRenewal({ notAfter: now + 29 * day }, now + 29 * day, now)).toBe(false);
});

test.each([
  ["example.com", true],
  ["slim-gecko.example.com", true],
  ["a.b.example.com", true],
  ["notexample.com", false],
  ["com", false],
])("example.com's authority covers %s: %s", (host, expected) => {
  expect(permitsHost(["example.com"], host)).toBe(expected);
});
