/** Certificates for the host names of the sessions, made when a browser asks for them. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";
import type { CertificateWithKey } from "../core/certificates/certificate-authority.ts";
import { log } from "../node/log.ts";

interface Leaf {
  context: SecureContext;
  /** Milliseconds since the epoch. */
  notAfter: number;
}

interface Authority {
  /** When its file was written. */
  modified: number;
  identity: CertificateWithKey;
  domains: string[];
  notAfter: number;
}

export class CertificateStore {
  readonly #directory: string;
  /** The configured domains of the sessions as they are now. */
  readonly #domains: () => string[];
  readonly #now: () => number;
  #authority: Authority | undefined;
  readonly #leaves = new Map<string, Leaf>();
  /** What is being made. */
  readonly #issuing = new Map<string, Promise<Leaf>>();

  /**
   * `directory` is where the installation put `authority.crt.pem` and `authority.key.pem`; `now` in milliseconds since
   * the epoch.
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
   * The certificate for this host. One that ends soon is still given out while the next one is made: nobody waits,
   * and nothing that is open notices. Throws an Error when the authority is not installed, or may not vouch for the host.
   */
  async for(host: string): Promise<SecureContext> {
    const { permitsHost: covers, needsRenewal: isDue } = await import(
      "../core/certificates/certificate-authority.ts"
    );
    const authority = await this.#load();
    const domain = leafDomain(host.toLowerCase(), [...this.#domains(), ...authority.domains]);
    if (domain === undefined || !covers(authority.domains, domain))
      throw new Error(`The authority of this machine does not vouch for ${host}.`);
    const known = this.#leaves.get(domain);
    if (known && !isDue(known, authority.notAfter, this.#now())) return known.context;
    let issued = this.#issuing.get(domain);
    if (!issued) {
      issued = this.#issue(authority, domain).finally(() => this.#issuing.delete(domain));
      this.#issuing.set(domain, issued);
    }
    if (!known || known.notAfter <= this.#now()) return (await issued).context;
    issued.catch((error: Error) => log(`the certificate for ${domain} is not renewed: ${error.message}`));
    return known.context;
  }

  get #certificateFile(): string {
    return join(this.#directory, "authority.crt.pem");
  }

  async #issue(authority: Authority, domain: string): Promise<Leaf> {
    const { certificateInfo: factsOf, issueLeaf } = await import(
      "../core/certificates/certificate-authority.ts"
    );
    const { certificate, key } = await issueLeaf(authority.identity, domain, this.#now());
    const { notAfter } = await factsOf(certificate);
    const leaf = { context: createSecureContext({ cert: certificate, key }), notAfter };
    if (this.#authority === authority) this.#leaves.set(domain, leaf);
    return leaf;
  }

  /** Reads the authority again when it was installed anew. */
  async #load(): Promise<Authority> {
    const file = this.#certificateFile;
    const modified = statSync(file).mtimeMs;
    if (this.#authority?.modified === modified) return this.#authority;
    const { certificateInfo: factsOf } = await import("../core/certificates/certificate-authority.ts");
    const identity = {
      certificate: readFileSync(file, "utf8"),
      key: readFileSync(join(this.#directory, "authority.key.pem"), "utf8"),
    };
    const { domains, notAfter } = await factsOf(identity.certificate);
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
