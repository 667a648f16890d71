import { expect, test } from "vitest";
import { createAuthority, issueLeaf } from "../../../core/certificates/certificate-authority.ts";
import { keychainRefusal, refusalOf, windowsRefusal } from "./verify.ts";

test("a client with our authority believes our certificate for a host of the domain, and no other does", async () => {
  const now = Date.now();
  const authority = await createAuthority(["example.com"], now);
  const stranger = await createAuthority(["example.com"], now);
  const leaf = await issueLeaf(authority, "example.com", now);
  const host = "slim-gecko.example.com";
  const both = stranger.certificate + authority.certificate;
  expect(await refusalOf(leaf, host, both)).toBeUndefined();
  expect(await refusalOf(leaf, host, stranger.certificate)).toMatch(/unable to|signature/i);
  expect(await refusalOf(leaf, "bank.test", both)).toMatch(/not in the cert's altnames/);
  expect(await refusalOf(leaf, host, "")).toBeDefined();
});

test("a certificate for a name outside the authority's domains is refused, no matter who signed it", async () => {
  const now = Date.now();
  const authority = await createAuthority(["example.com"], now);
  const leaf = await issueLeaf(authority, "bank.test", now);
  expect(await refusalOf(leaf, "bank.test", authority.certificate)).toMatch(/permitted subtree violation/);
});

test.each([
  ["Cert Verify Result: CSSMERR_TP_NOT_TRUSTED", "CSSMERR_TP_NOT_TRUSTED"],
  [
    "security verify-cert -c x failed: SecTrustEvaluate result: kSecTrustResultDeny\n---\nNo extended validation result found",
    "kSecTrustResultDeny",
  ],
  ["the program is gone", "the program is gone"],
])("macOS: %j is %s", (said, reason) => {
  expect(keychainRefusal(said)).toBe(reason);
});

const REVOCATION =
  "ERROR: Verifying leaf certificate revocation status returned The revocation function was unable to check revocation for the certificate. 0x80092012 (-2146885614 CRYPT_E_NO_REVOCATION_CHECK)\nCertUtil: The revocation function was unable to check revocation for the certificate.";

test.each([
  ["Leaf certificate revocation check passed\nCertUtil: -verify command completed successfully.", undefined],
  [REVOCATION, undefined],
  [
    "Verifies against UNTRUSTED root\nCertUtil: -verify command FAILED: 0x800b0109 (-2146762487 CERT_E_UNTRUSTEDROOT)\nCertUtil: A certificate chain processed, but terminated in a root certificate which is not trusted by the trust provider.",
    "CERT_E_UNTRUSTEDROOT",
  ],
  ["Cannot find issuer\n0x800b010a (-2146762486 CERT_E_CHAINING)", "CERT_E_CHAINING"],
  ["0x800b0101 (-2146762495 CERT_E_EXPIRED)", "CERT_E_EXPIRED"],
])("Windows: %j is %s", (said, reason) => {
  expect(windowsRefusal(said)).toBe(reason);
});
