/**
 * Do the programs of this machine believe the local server? Asked with a real certificate, signed for the purpose as
 * the local server signs its own, of each real store: what is written in a list may still not be what counts.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { duplexPair } from "node:stream";
import { connect, createSecureContext, TLSSocket } from "node:tls";
import {
  type CertificateWithKey,
  certificateInfo,
  issueLeaf,
} from "../../../core/certificates/certificate-authority.ts";
import { type Machine, run } from "../system/machine.ts";
import { readIdentity } from "./authority-files.ts";

export interface Verdict {
  /** Whose trust it is: a file, a database, or the operating system's own store. */
  store: string;
  /** Why it refuses; undefined when it trusts. */
  refusal: string | undefined;
}

/** What each store of this machine says; nothing without an authority. Changes nothing. */
export async function askStores(home: string, machine: Machine, now = Date.now()): Promise<Verdict[]> {
  const authority = await readIdentity(home);
  const [domain] = authority ? (await certificateInfo(authority.certificate)).domains : [];
  if (!authority || domain === undefined) return [];
  const leaf = await issueLeaf(authority, domain, now);
  const host = `linkup-health.${domain}`;
  const directory = await mkdtemp(join(tmpdir(), "linkup-trust-"));
  try {
    const file = join(directory, "leaf.pem");
    await writeFile(file, leaf.certificate);
    const verdicts: Promise<Verdict>[] = [];
    if (machine.platform === "darwin") verdicts.push(askKeychain(file, host));
    if (machine.platform === "win32") verdicts.push(askWindows(file));
    for (const bundle of machine.bundles)
      verdicts.push(
        readFile(bundle, "utf8")
          .then((authorities) => refusalOf(leaf, host, authorities))
          .then((refusal) => ({ store: bundle, refusal })),
      );
    if (machine.certutil)
      for (const database of machine.nss) verdicts.push(askNss(database, file, directory));
    return await Promise.all(verdicts);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Why a TLS client that trusts these authorities would refuse this certificate for this host; undefined when not. */
export function refusalOf(
  leaf: CertificateWithKey,
  host: string,
  authorities: string,
): Promise<string | undefined> {
  const [here, there] = duplexPair();
  const secureContext = createSecureContext({ cert: leaf.certificate, key: leaf.key });
  const server = new TLSSocket(there as never, { isServer: true, secureContext });
  // It learns of a refusal as a broken connection.
  server.on("error", () => {});
  const client = connect({ socket: here, servername: host, ca: authorities });
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  client.once("secureConnect", () => resolve(undefined));
  // Behind the semicolon Node says how Node could be told to trust it.
  client.once("error", ({ message }) => resolve(message.split(";")[0]));
  return promise.finally(() => {
    client.destroy();
    server.destroy();
  });
}

async function askKeychain(file: string, host: string): Promise<Verdict> {
  const command = ["security", "verify-cert", "-c", file, "-p", "ssl", "-s", host, "-L"];
  const refusal = await run(command).then(
    () => undefined,
    (error: Error) => keychainRefusal(error.message),
  );
  return { store: "the keychain", refusal };
}

/** From what `security verify-cert` prints when it fails. */
export function keychainRefusal(said: string): string {
  const line = /^.*(?:Cert Verify Result|SecTrustEvaluate result): *(?<reason>.+)$/m.exec(said);
  return line?.groups?.reason ?? said;
}

async function askWindows(file: string): Promise<Verdict> {
  // It fails for want of a revocation list too, which local authorities have none of: its words count.
  const said = await run(["certutil", "-user", "-verify", file]).catch((error: Error) => error.message);
  return { store: "the certificates of this Windows user", refusal: windowsRefusal(said) };
}

/** From what `certutil -verify` of Windows prints; the names of errors are the same in every language. */
export function windowsRefusal(said: string): string | undefined {
  return /\b(?:CERT_E_(?!REVOCATION)|TRUST_E_)\w+/.exec(said)?.[0];
}

/** In a copy: the database of a browser is not written to. */
async function askNss(database: string, file: string, directory: string): Promise<Verdict> {
  const copy = await mkdtemp(join(directory, "nss-"));
  for (const name of ["cert9.db", "key4.db", "pkcs11.txt"])
    await cp(join(database, name), join(copy, name), { force: true }).catch(ignoreMissing);
  // Never asked for in a terminal: a database with a password refuses instead.
  const password = join(copy, "no-password");
  await writeFile(password, "\n");
  const certutil = (...args: string[]) => run(["certutil", ...args, "-d", `sql:${copy}`, "-f", password]);
  const refusal = await certutil("-A", "-n", "leaf", "-t", ",,", "-i", file)
    .then(() => certutil("-V", "-u", "V", "-n", "leaf"))
    .then(
      () => undefined,
      (error: Error) => /certutil: (?!.*usage)(.+)$/m.exec(error.message)?.[1] ?? error.message,
    );
  return { store: database, refusal };
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
