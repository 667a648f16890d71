/** The authority's certificate and key in the state folder: its key never leaves it, and only its user may read it. */
import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type CertificateInfo,
  type CertificateWithKey,
  certificateInfo,
  createAuthority,
  permitsHost,
} from "../../../core/certificates/certificate-authority.ts";
import { writeAtomically } from "../../../node/atomic-file.ts";

export interface Authority {
  /** The certificate's file. */
  file: string;
  facts: CertificateInfo;
}

const DAY_MS = 86_400_000;
/** An authority that ends sooner than its leaves would is replaced by the next installation. */
const SOON_MS = 90 * DAY_MS;

function files(home: string) {
  const directory = join(home, "certificates");
  return {
    directory,
    certificate: join(directory, "authority.crt.pem"),
    key: join(directory, "authority.key.pem"),
  };
}

/** The authority of this home; undefined when there is none. */
export async function readAuthority(home: string): Promise<Authority | undefined> {
  const { certificate } = files(home);
  if (!existsSync(certificate)) return undefined;
  return { file: certificate, facts: await certificateInfo(await readFile(certificate, "utf8")) };
}

/** The authority with its key; undefined when there is none. */
export async function readIdentity(home: string): Promise<CertificateWithKey | undefined> {
  const { certificate, key } = files(home);
  if (!existsSync(certificate)) return undefined;
  return { certificate: await readFile(certificate, "utf8"), key: await readFile(key, "utf8") };
}

/** An authority to be installed; with `identity` when it is a new one, which is not written yet. */
export interface Proposed extends Authority {
  identity?: CertificateWithKey;
}

/** The one that there is, when it covers these domains and lasts, else a new one. Writes nothing. */
export async function proposeAuthority(home: string, domains: string[], now = Date.now()): Promise<Proposed> {
  const known = await readAuthority(home);
  if (
    known &&
    known.facts.notAfter - now > SOON_MS &&
    domains.every((domain) => permitsHost(known.facts.domains, domain))
  )
    return known;
  const identity = await createAuthority(domains, now);
  return { file: files(home).certificate, facts: await certificateInfo(identity.certificate), identity };
}

/** Puts a new authority in its place: the local server signs with it from then on. */
export async function writeAuthority(home: string, authority: CertificateWithKey): Promise<void> {
  const { directory, certificate, key } = files(home);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // The certificate last: the local server takes an authority for there when it is.
  await writeAtomically(key, authority.key);
  await writeAtomically(certificate, authority.certificate);
}

export async function removeAuthority(home: string): Promise<void> {
  await rm(files(home).directory, { recursive: true, force: true });
}
