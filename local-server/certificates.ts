/** Certificates for the host names of the sessions, made when a browser asks for them. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Identity } from "../core/certificates/authority.ts";

interface Leaf {
  context: SecureContext;
  notAfter: number;
}

export class CertificateStore {
  readonly #directory: string;
  /** The configured domains of the sessions as they are now. */
  readonly #domains: () => string[];
  #authority: { modified: number; identity: Identity; domains: string[] } | undefined;
  readonly #leaves = new Map<string, Promise<Leaf>>();

  /** `directory` is where the installation put `authority.crt.pem` and `authority.key.pem`. */
  constructor(directory: string, domains: () => string[]) {
    this.#directory = directory;
    this.#domains = domains;
  }

  /** True when the authority is installed. */
  get available(): boolean {
    return existsSync(this.#certificateFile);
  }

  /** Throws an Error when the authority is not installed, or may not vouch for this host. */
  async for(host: string): Promise<SecureContext> {
    const { covers, isDue } = await import("../core/certificates/authority.ts");
    const { identity, domains } = await this.#load();
    const domain = leafDomain(host.toLowerCase(), [...this.#domains(), ...domains]);
    if (domain === undefined || !covers(domains, domain))
      throw new Error(`The authority of this machine does not vouch for ${host}.`);
    const known = this.#leaves.get(domain);
    if (known) {
      const leaf = await known;
      if (!isDue(leaf, Date.now())) return leaf.context;
    }
    const issued = this.#issue(identity, domain);
    this.#leaves.set(domain, issued);
    issued.catch(() => this.#leaves.delete(domain));
    return (await issued).context;
  }

  get #certificateFile(): string {
    return join(this.#directory, "authority.crt.pem");
  }

  async #issue(authority: Identity, domain: string): Promise<Leaf> {
    const { factsOf, issueLeaf } = await import("../core/certificates/authority.ts");
    const { certificate, key } = await issueLeaf(authority, domain, Date.now());
    const { notAfter } = await factsOf(certificate);
    return { context: createSecureContext({ cert: certificate, key }), notAfter };
  }

  /** Reads the authority again when it was installed anew. */
  async #load() {
    const file = this.#certificateFile;
    const modified = statSync(file).mtimeMs;
    if (this.#authority?.modified === modified) return this.#authority;
    const { factsOf } = await import("../core/certificates/authority.ts");
    const identity = {
      certificate: readFileSync(file, "utf8"),
      key: readFileSync(join(this.#directory, "authority.key.pem"), "utf8"),
    };
    const { domains } = await factsOf(identity.certificate);
    this.#leaves.clear();
    this.#authority = { modified, identity, domains };
    return this.#authority;
  }
}

/** The longest domain that is this host or one label above it: what a certificate for it and its wildcard covers. */
function leafDomain(host: string, domains: string[]): string | undefined {
  const parent = host.slice(host.indexOf(".") + 1);
  if (domains.includes(host)) return host;
  return domains.includes(parent) ? parent : undefined;
}
