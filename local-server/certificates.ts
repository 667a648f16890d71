/** Certificates for the sessions' host names, issued when a browser first connects. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { SecureContext } from "node:tls";
import type { CertificateWithKey } from "../core/certificates/certificate-authority.ts";
import { log } from "../node/log.ts";

interface Leaf {
  context: SecureContext;
  /** Milliseconds since the epoch. */
  notAfter: number;
}

interface Authority {
  /** Modification time of its file. */
  modified: number;
  identity: CertificateWithKey;
  domains: string[];
  notAfter: number;
}

export class CertificateStore {
  readonly #directory: string;
  /** The domains of the current sessions. */
  readonly #domains: () => string[];
  readonly #now: () => number;
  #authority: Authority | undefined;
  readonly #leaves = new Map<string, Leaf>();
  /** In progress. */
  readonly #issuing = new Map<string, Promise<Leaf>>();

  /**
   * `directory`: the installed `authority.crt.pem` and `authority.key.pem`. `now`: milliseconds since the epoch.
   */
  constructor(directory: string, domains: () => string[], now: () => number = Date.now) {
    this.#directory = directory;
    this.#domains = domains;
    this.#now = now;
  }

  /** True when the authority is installed. */
  get available(): boolean {
    return existsSync(this.#certificateFile);
  }

  /**
   * The certificate for this host. One that is due for renewal is still used while the next one is issued, so no connection
   * waits. Throws an Error when the authority is not installed, or does not cover the host.
   */
  async for(host: string): Promise<SecureContext> {
    const { permitsHost, needsRenewal } = await import("../core/certificates/certificate-authority.ts");
    const authority = await this.#load();
    const domain = leafDomain(host.toLowerCase(), [...this.#domains(), ...authority.domains]);
    if (domain === undefined || !permitsHost(authority.domains, domain))
      throw new Error(`This machine's certificate authority does not cover ${host}.`);
    const known = this.#leaves.get(domain);
    if (known && !needsRenewal(known, authority.notAfter, this.#now())) return known.context;
    let issued = this.#issuing.get(domain);
    if (!issued) {
      issued = this.#issue(authority, domain).finally(() => this.#issuing.delete(domain));
      this.#issuing.set(domain, issued);
    }
    if (!known || known.notAfter <= this.#now()) return (await issued).context;
    issued.catch((error: Error) =>
      log(`the certificate for ${domain} could not be renewed: ${error.message}`),
    );
    return known.context;
  }

  get #certificateFile(): string {
    return join(this.#directory, "authority.crt.pem");
  }

  async #issue(authority: Authority, domain: string): Promise<Leaf> {
    const { certificateInfo, issueLeaf } = await import("../core/certificates/certificate-authority.ts");
    const { certificate, key } = await issueLeaf(authority.identity, domain, this.#now());
    const { notAfter } = await certificateInfo(certificate);
    const { createSecureContext } = process.getBuiltinModule("node:tls");
    const leaf = { context: createSecureContext({ cert: certificate, key }), notAfter };
    if (this.#authority === authority) this.#leaves.set(domain, leaf);
    return leaf;
  }

  /** Reads the authority again when its file has changed. */
  async #load(): Promise<Authority> {
    const file = this.#certificateFile;
    const modified = statSync(file).mtimeMs;
    if (this.#authority?.modified === modified) return this.#authority;
    const { certificateInfo } = await import("../core/certificates/certificate-authority.ts");
    const identity = {
      certificate: readFileSync(file, "utf8"),
      key: readFileSync(join(this.#directory, "authority.key.pem"), "utf8"),
    };
    const { domains, notAfter } = await certificateInfo(identity.certificate);
    this.#leaves.clear();
    this.#issuing.clear();
    this.#authority = { modified, identity, domains, notAfter };
    return this.#authority;
  }
}

/** The longest domain that is this host or one label above it: what a certificate for it and its wildcard covers. */
function leafDomain(host: string, domains: string[]): string | undefined {
  const parent = host.slice(host.indexOf(".") + 1);
  if (domains.includes(host)) return host;
  return domains.includes(parent) ? parent : undefined;
}
