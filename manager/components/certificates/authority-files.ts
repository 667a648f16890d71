/** The authority's certificate and key in the state folder: its key never leaves it, and only its user may read it. */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
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

const UNREADABLE = ".unreadable-";
const DAY_MS = 86_400_000;
/** An authority that expires within this time is replaced at the next installation: its leaves would outlive it. */
const RENEW_BEFORE_MS = 90 * DAY_MS;

function files(home: string) {
  const directory = join(home, "certificates");
  return {
    directory,
    certificate: join(directory, "authority.crt.pem"),
    key: join(directory, "authority.key.pem"),
  };
}

/** The authority's certificate; undefined without one. An invalid file is moved away. */
export async function readAuthority(home: string): Promise<Authority | undefined> {
  const { certificate } = files(home);
  if (!existsSync(certificate)) return undefined;
  try {
    return { file: certificate, facts: await certificateInfo(await readFile(certificate, "utf8")) };
  } catch {
    const aside = `${certificate}${UNREADABLE}${new Date().toISOString().replaceAll(":", "-")}`;
    // Another call may have moved it already.
    await rename(certificate, aside).catch(() => {});
    return undefined;
  }
}

/** Authorities that could not be read and were moved away. */
export async function unreadableAuthorities(home: string): Promise<string[]> {
  const { directory } = files(home);
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => name.includes(UNREADABLE)).map((name) => join(directory, name));
}

/** The authority's certificate and key; undefined without one. */
export async function readIdentity(home: string): Promise<CertificateWithKey | undefined> {
  const { certificate, key } = files(home);
  if (!existsSync(certificate)) return undefined;
  return { certificate: await readFile(certificate, "utf8"), key: await readFile(key, "utf8") };
}

/** The authority that an installation will use. `identity` is set for a new one, which is not on disk yet. */
export interface ProposedAuthority extends Authority {
  identity?: CertificateWithKey;
}

/** The existing authority when it covers these domains and is not about to expire, else a new one. Writes nothing. */
export async function proposeAuthority(
  home: string,
  domains: string[],
  now = Date.now(),
): Promise<ProposedAuthority> {
  const known = await readAuthority(home);
  if (
    known &&
    known.facts.notAfter - now > RENEW_BEFORE_MS &&
    domains.every((domain) => permitsHost(known.facts.domains, domain))
  )
    return known;
  const identity = await createAuthority(domains, now);
  return { file: files(home).certificate, facts: await certificateInfo(identity.certificate), identity };
}

/** Writes a new authority; the local server signs with it from then on. */
export async function writeAuthority(home: string, authority: CertificateWithKey): Promise<void> {
  const { directory, certificate, key } = files(home);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // The certificate comes last: its presence tells the local server that the key is there too.
  await writeAtomically(key, authority.key);
  await writeAtomically(certificate, authority.certificate);
}

export async function removeAuthority(home: string): Promise<void> {
  await rm(files(home).directory, { recursive: true, force: true });
}
