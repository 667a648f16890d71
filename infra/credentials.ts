/** Who acts at Cloudflare: a scoped API token, or the global key that the original Linkup takes. */
import { InfraError } from "./errors.ts";

export type Credentials = { apiToken: string } | { email: string; apiKey: string };

/** `CLOUDFLARE_API_TOKEN`, else `CLOUDFLARE_EMAIL` with `CLOUDFLARE_API_KEY`; undefined when neither is set. */
export function credentialsOf(env: NodeJS.ProcessEnv): Credentials | undefined {
  const { CLOUDFLARE_API_TOKEN: apiToken, CLOUDFLARE_EMAIL: email, CLOUDFLARE_API_KEY: apiKey } = env;
  if (apiToken) return { apiToken: apiToken.trim() };
  if (email && apiKey) return { email: email.trim(), apiKey: apiKey.trim() };
  return undefined;
}

export function neededCredentials(env: NodeJS.ProcessEnv): Credentials {
  const found = credentialsOf(env);
  if (found) return found;
  throw new InfraError(
    "credentials-missing",
    `No Cloudflare credentials: set CLOUDFLARE_API_TOKEN to an API token with these rights:\n${rightsList()}\nThis page has them filled in: ${tokenPage()}`,
  );
}

/** A right of an API token, as Cloudflare's pages name it, its key in the token page's address, and what needs it. */
export interface Right {
  name: string;
  key: string;
  type: "edit" | "read";
  neededFor: string;
}

export const RIGHTS = {
  scripts: {
    name: "Account · Workers Scripts · Edit",
    key: "workers_scripts",
    type: "edit",
    neededFor: "the Worker's script",
  },
  tunnels: {
    name: "Account · Cloudflare Tunnel · Edit",
    key: "argotunnel",
    type: "edit",
    neededFor: "removing the tunnels of sessions",
  },
  tokens: {
    name: "Account · Account API Tokens · Edit",
    key: "account_api_tokens",
    type: "edit",
    neededFor: "the Worker's own token for tunnels",
  },
  zones: { name: "Zone · Zone · Read", key: "zone", type: "read", neededFor: "finding the zones" },
  routes: {
    name: "Zone · Workers Routes · Edit",
    key: "workers_routes",
    type: "edit",
    neededFor: "the routes to the Worker",
  },
  dns: { name: "Zone · DNS · Edit", key: "dns", type: "edit", neededFor: "the DNS records" },
  cacheRules: {
    name: "Zone · Cache Rules · Edit",
    key: "cache",
    type: "edit",
    neededFor: "the cache rule for tunnels",
  },
} as const satisfies Record<string, Right>;

export type RightKey = keyof typeof RIGHTS;

/** Cloudflare's page for a new API token, with the rights filled in. The user still creates the token. */
export function tokenPage(name = "Linkup deployment"): string {
  const groups = Object.values(RIGHTS).map(({ key, type }) => ({ key, type }));
  const query = new URLSearchParams({
    permissionGroupKeys: JSON.stringify(groups),
    accountId: "*",
    zoneId: "all",
    name,
  });
  return `https://dash.cloudflare.com/profile/api-tokens?${query}`;
}

export function rightsList(rights: readonly Right[] = Object.values(RIGHTS)): string {
  return rights.map(({ name, neededFor }) => `  ${name}: for ${neededFor}`).join("\n");
}
