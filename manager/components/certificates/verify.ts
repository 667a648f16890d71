/**
 * Checks whether each trust store of this machine accepts the local server's certificates, by verifying a real leaf
 * certificate: a store may list an authority and still refuse it.
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

export interface StoreTrust {
  /** A bundle file, an NSS database, or the operating system's store. */
  store: string;
  /** Why the store refuses the certificate; undefined when it trusts it. */
  refusal: string | undefined;
}

/** Verifies a leaf certificate in each trust store; empty without an authority. Changes nothing. */
export async function checkTrustStores(
  home: string,
  machine: Machine,
  now = Date.now(),
): Promise<StoreTrust[]> {
  const authority = await readIdentity(home);
  const [domain] = authority ? (await certificateInfo(authority.certificate)).domains : [];
  if (!authority || domain === undefined) return [];
  const leaf = await issueLeaf(authority, domain, now);
  const host = `linkup-health.${domain}`;
  const directory = await mkdtemp(join(tmpdir(), "linkup-trust-"));
  try {
    const file = join(directory, "leaf.pem");
    await writeFile(file, leaf.certificate);
    const results: Promise<StoreTrust>[] = [];
    if (machine.platform === "darwin") results.push(askKeychain(file, host));
    if (machine.platform === "win32") results.push(askWindows(file));
    for (const bundle of machine.bundles)
      results.push(
        readFile(bundle, "utf8")
          .then((authorities) => refusalOf(leaf, host, authorities))
          .then((refusal) => ({ store: bundle, refusal })),
      );
    if (machine.certutil) for (const database of machine.nss) results.push(askNss(database, file, directory));
    return await Promise.all(results);
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
  // A refusal reaches the server as a broken connection.
  server.on("error", () => {});
  const client = connect({ socket: here, servername: host, ca: authorities });
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  client.once("secureConnect", () => resolve(undefined));
  // After the semicolon Node adds advice that only concerns Node.
  client.once("error", ({ message }) => resolve(message.split(";")[0]));
  return promise.finally(() => {
    client.destroy();
    server.destroy();
  });
}

async function askKeychain(file: string, host: string): Promise<StoreTrust> {
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

async function askWindows(file: string): Promise<StoreTrust> {
  // It also fails for a missing revocation list, which local authorities do not have; so its output is parsed.
  const said = await run(["certutil", "-user", "-verify", file]).catch((error: Error) => error.message);
  return { store: "the certificates of this Windows user", refusal: windowsRefusal(said) };
}

/** From what `certutil -verify` of Windows prints; the names of errors are the same in every language. */
export function windowsRefusal(said: string): string | undefined {
  return /\b(?:CERT_E_(?!REVOCATION)|TRUST_E_)\w+/.exec(said)?.[0];
}

/** Works on a copy, so that a browser's database is never written. */
async function askNss(database: string, file: string, directory: string): Promise<StoreTrust> {
  const copy = await mkdtemp(join(directory, "nss-"));
  for (const name of ["cert9.db", "key4.db", "pkcs11.txt"])
    await cp(join(database, name), join(copy, name), { force: true }).catch(ignoreMissing);
  // Prevents a prompt in the terminal: a database with a password fails instead.
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
