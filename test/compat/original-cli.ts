/**
 * A client as the original's command line is one, from the contract's text: what it asks a Worker, and how it reads the
 * answers: a field that is missing or of another type is an error, a field that it does not know is passed over.
 */
import { randomBytes } from "node:crypto";
import type { ContractDomain, ContractRewrite } from "./contract.ts";
import { ask, type EchoedResponse } from "./services.ts";

export interface OriginalConfig {
  worker_url: string;
  worker_token: string;
  cache_routes?: string[] | null;
  services: { name: string; remote: string; local: string; rewrites?: ContractRewrite[] | null }[];
  domains: ContractDomain[];
}

/** What the command line needs to run cloudflared. */
interface TunnelData {
  account_id: string;
  name: string;
  url: string;
  id: string;
  secret: string;
  last_started: number;
}

/** The Worker did not answer 200. */
export class Refused extends Error {
  readonly status: number;
  constructor({ status, body }: EchoedResponse) {
    super(`${status} ${body}`);
    this.status = status;
  }
}

type Check = (value: unknown) => boolean;
const text: Check = (value) => typeof value === "string";
const url: Check = (value) => text(value) && URL.canParse(value as string);
const u64: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;

/** Reads an object of exactly these fields out of what may hold more. */
function read<T>(value: unknown, fields: Record<keyof T & string, Check>): T {
  if (typeof value !== "object" || value === null) throw new TypeError("invalid type: expected an object");
  const found = value as Record<string, unknown>;
  for (const [name, check] of Object.entries<Check>(fields)) {
    if (!(name in found)) throw new TypeError(`missing field \`${name}\``);
    if (!check(found[name])) throw new TypeError(`\`${name}\`: invalid value ${JSON.stringify(found[name])}`);
  }
  return Object.fromEntries(Object.keys(fields).map((name) => [name, found[name]])) as T;
}

const tunnelData = (value: unknown) =>
  read<TunnelData>(value, { account_id: text, name: text, url, id: text, secret: text, last_started: u64 });

export class OriginalCli {
  readonly config: OriginalConfig;
  readonly sessionToken = randomBytes(16).toString("hex");
  readonly targets = new Map<string, "local" | "remote">();
  name: string | undefined;
  tunnel: TunnelData | undefined;
  version = "4.0.0";

  constructor(config: OriginalConfig) {
    this.config = config;
  }

  /** `linkup start`: the name it had, another one when that is someone else's by now. */
  async start(): Promise<string> {
    const taken = (error: unknown) => {
      if (!(error instanceof Refused && error.status === 409)) throw error;
      return this.#upsert({ name_kind: "animal" });
    };
    return this.name === undefined
      ? this.#upsert({ name_kind: "animal" })
      : this.#upsert({ desired_name: this.name }).catch(taken);
  }

  /** `linkup local SERVICE`, `linkup remote SERVICE` */
  async route(service: string, target: "local" | "remote"): Promise<void> {
    this.targets.set(service, target);
    await this.#upsert({ desired_name: this.name });
  }

  /** `linkup preview SERVICE=URL…`: the name. */
  async preview(overrides: Record<string, string>, desired_name?: string): Promise<string> {
    const services = this.config.services.map(({ name, remote, rewrites = null }) => ({
      name,
      location: overrides[name] ?? remote,
      rewrites,
    }));
    const named = desired_name ? { desired_name, session_token: "preview_session" } : {};
    const answer = await this.#call("POST", "/linkup/v2/sessions/preview", {
      ...this.#routing(),
      services,
      ...named,
    });
    return read<{ session_name: string }>(JSON.parse(answer.body), { session_name: text }).session_name;
  }

  /** `linkup start` as versions before 4 did it: three calls, the local services on the tunnel's URL in the last one. */
  async startAsVersion1(noTunnel = false): Promise<string> {
    const call = async (services: object[]) => {
      const { body } = await this.#call(
        "POST",
        "/linkup/local-session",
        {
          ...this.#routing(),
          desired_name: this.name ?? "",
          session_token: this.sessionToken,
          services,
        },
        { "x-linkup-version": this.version },
      );
      this.name = body;
    };
    await call(this.#services());
    if (!noTunnel) {
      const { body } = await this.#call("GET", `/linkup/tunnel?session_name=${this.name}`);
      this.tunnel = tunnelData(JSON.parse(body));
    }
    const reached = this.tunnel?.url ?? `${this.config.worker_url}/linkup/no-tunnel`;
    await call(
      this.#services().map((service) => ({
        ...service,
        location: this.targets.get(service.name) === "local" ? reached : service.location,
      })),
    );
    return this.name!;
  }

  async previewAsVersion1(overrides: Record<string, string>): Promise<string> {
    const services = this.#services().map((service) => ({
      ...service,
      location: overrides[service.name] ?? service.location,
    }));
    const { body } = await this.#call("POST", "/linkup/preview-session", {
      ...this.#routing(),
      desired_name: "",
      session_token: "preview_session",
      services,
    });
    return body;
  }

  async check(): Promise<string> {
    return (await this.#call("GET", "/linkup/check")).body;
  }

  async #upsert(name: { desired_name?: string | undefined; name_kind?: string }): Promise<string> {
    const { body } = await this.#call("POST", "/linkup/v2/sessions/tunneled", {
      ...name,
      session_token: this.sessionToken,
      ...this.#routing(),
    });
    const answer = read<{ session_name: string; tunnel_data: unknown }>(JSON.parse(body), {
      session_name: text,
      tunnel_data: () => true,
    });
    this.tunnel = tunnelData(answer.tunnel_data);
    this.name = answer.session_name;
    return this.name;
  }

  #services() {
    return this.config.services.map(({ name, remote, local, rewrites = null }) => ({
      name,
      location: this.targets.get(name) === "local" ? local : remote,
      rewrites,
    }));
  }

  /** Optional lists are written as null, as a serializer does with what is absent. */
  #routing() {
    const { domains, cache_routes = null } = this.config;
    return {
      services: this.#services(),
      domains: domains.map(({ routes = null, ...domain }) => ({ ...domain, routes })),
      cache_routes,
    };
  }

  async #call(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<EchoedResponse> {
    const answer = await ask(
      this.config.worker_url,
      path,
      {
        authorization: `Bearer ${this.config.worker_token}`,
        ...(body ? { "content-type": "application/json" } : {}),
        ...headers,
      },
      { method, body: body ? JSON.stringify(body) : "" },
    );
    if (answer.status !== 200) throw new Refused(answer);
    return answer;
  }
}
