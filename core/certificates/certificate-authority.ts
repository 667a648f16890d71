/**
 * A certificate authority for the configured domains only, and the certificates it signs for the local server.
 * X.509 and WebCrypto only: callers store the keys.
 */
import "reflect-metadata";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_nameConstraints,
  NameConstraints,
} from "@peculiar/asn1-x509";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { hex } from "../hex.ts";
import { refusedDomainError } from "../session/domain-name.ts";

/** A certificate and its private key (PKCS #8), both as PEM. */
export interface CertificateWithKey {
  certificate: string;
  key: string;
}

const DAY_MS = 86_400_000;
/** Long, because renewal needs an administrator; safe, because name constraints narrow what it may sign. */
const AUTHORITY_DAYS = 3 * 365;
export const LEAF_DAYS = 90;
/** Renew when less than a third of the validity is left. */
const RENEWAL_DAYS = 30;
/** Browser and local server share a clock, but it may be set back a little. */
const EARLIER_MS = 3_600_000;

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/**
 * A new authority that can vouch for these domains and the hosts under them, and for nothing else:
 * critical name constraints limit a thief of its key as well. `now` in milliseconds since the epoch.
 * Throws an Error for a domain that no session may have, such as `com`.
 */
export async function createAuthority(domains: string[], now: number): Promise<CertificateWithKey> {
  for (const domain of domains) {
    const refused = refusedDomainError(domain);
    if (refused) throw new Error(refused);
  }
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: AUTHORITY_NAME,
    issuer: AUTHORITY_NAME,
    notBefore: new Date(now - EARLIER_MS),
    notAfter: new Date(now + AUTHORITY_DAYS * DAY_MS),
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      nameConstraints(domains),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return print(certificate, keys.privateKey);
}

const AUTHORITY_NAME = "CN=Linkup local development, O=Linkup";

/** A certificate for `domain` and `*.domain`, signed by the authority, valid for 90 days. */
export async function issueLeaf(
  authority: CertificateWithKey,
  domain: string,
  now: number,
): Promise<CertificateWithKey> {
  const issuer = new X509Certificate(authority.certificate);
  const signingKey = await importKey(authority.key);
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: [{ CN: [domain] }],
    issuer: issuer.subject,
    notBefore: new Date(now - EARLIER_MS),
    notAfter: new Date(Math.min(now + LEAF_DAYS * DAY_MS, issuer.notAfter.getTime())),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([
        { type: "dns", value: domain },
        { type: "dns", value: `*.${domain}` },
      ]),
      await AuthorityKeyIdentifierExtension.create(issuer),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return print(certificate, keys.privateKey);
}

export interface CertificateInfo {
  /** The domains that an authority may vouch for; empty for a leaf. */
  domains: string[];
  /** Milliseconds since the epoch. */
  notAfter: number;
  /** SHA-256 over the certificate, lower-case hex: what trust stores know it by. */
  sha256: string;
  /** SHA-1 over the same, upper-case hex: what the stores of macOS and Windows delete by. */
  sha1: string;
}

/** The contents of a certificate. Throws an Error if it cannot be parsed. */
export async function certificateInfo(certificate: string): Promise<CertificateInfo> {
  const parsed = new X509Certificate(certificate);
  const constraints = parsed.getExtension(id_ce_nameConstraints);
  const permitted = constraints
    ? AsnConvert.parse(constraints.value, NameConstraints).permittedSubtrees
    : undefined;
  return {
    domains: (permitted ?? []).flatMap(({ base }) => base.dNSName ?? []),
    notAfter: parsed.notAfter.getTime(),
    sha256: hex(new Uint8Array(await crypto.subtle.digest("SHA-256", parsed.rawData))),
    sha1: hex(new Uint8Array(await crypto.subtle.digest("SHA-1", parsed.rawData))).toUpperCase(),
  };
}

/** True when a leaf should be replaced: it expires soon, and before its authority. */
export function needsRenewal(
  { notAfter }: Pick<CertificateInfo, "notAfter">,
  authorityEnds: number,
  now: number,
): boolean {
  return notAfter - now < RENEWAL_DAYS * DAY_MS && notAfter < authorityEnds;
}

/** True when a name constraint for one of these domains permits the host. */
export function permitsHost(domains: string[], host: string): boolean {
  return domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
}

/** Only DNS names under the domains; no IP address at all (RFC 5280, 4.2.1.10: other kinds are free unless named). */
function nameConstraints(domains: string[]): Extension {
  const subtree = (base: ConstructorParameters<typeof GeneralName>[0]) =>
    new GeneralSubtree({ base: new GeneralName(base) });
  const constraints = new NameConstraints({
    permittedSubtrees: new GeneralSubtrees(domains.map((dNSName) => subtree({ dNSName }))),
    excludedSubtrees: new GeneralSubtrees(["0.0.0.0/0", "::/0"].map((iPAddress) => subtree({ iPAddress }))),
  });
  return new Extension(id_ce_nameConstraints, true, AsnConvert.serialize(constraints));
}

type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

function generateKeys() {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

function importKey(pem: string): Promise<Key> {
  return crypto.subtle.importKey("pkcs8", PemConverter.decodeFirst(pem), ALGORITHM, false, ["sign"]);
}

async function print(certificate: X509Certificate, key: Key): Promise<CertificateWithKey> {
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", key);
  return {
    certificate: `${certificate.toString("pem")}\n`,
    key: `${PemConverter.encode(pkcs8 as ArrayBuffer, "PRIVATE KEY")}\n`,
  };
}

/** 127 random bits: positive, and never the same twice for one issuer (RFC 5280, 4.1.2.2). */
function randomSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0]! &= 0x7f;
  bytes[0]! |= 0x40;
  return hex(bytes);
}
