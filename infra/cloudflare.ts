/** Cloudflare's API as deployments need it: the official client, with failures as sentences and missing rights collected. */
import { APIConnectionError, APIConnectionTimeoutError, APIError } from "cloudflare/error";
import { BaseAccounts } from "cloudflare/resources/accounts/accounts";
import { BasePermissionGroups } from "cloudflare/resources/accounts/tokens/permission-groups";
import { BaseTokens } from "cloudflare/resources/accounts/tokens/tokens";
import { BaseRecords } from "cloudflare/resources/dns/records";
import { BasePhases } from "cloudflare/resources/rulesets/phases/phases";
import { BaseRules } from "cloudflare/resources/rulesets/rules";
import { BaseRoutes } from "cloudflare/resources/workers/routes";
import { BaseSchedules } from "cloudflare/resources/workers/scripts/schedules";
import { BaseScriptAndVersionSettings } from "cloudflare/resources/workers/scripts/script-and-version-settings";
import { BaseScripts } from "cloudflare/resources/workers/scripts/scripts";
import { BaseSubdomain } from "cloudflare/resources/workers/scripts/subdomain";
import { BaseCloudflared } from "cloudflare/resources/zero-trust/tunnels/cloudflared/cloudflared";
import { BaseZones } from "cloudflare/resources/zones/zones";
import { createClient } from "cloudflare/tree-shakable";
import type { Credentials, RightKey } from "./credentials.ts";
import { RIGHTS } from "./credentials.ts";
import { InfraError } from "./errors.ts";

/** Of one attempt of one call. An upload of the script is the longest. */
const ATTEMPT_MS = 30_000;

export type CloudflareClient = ReturnType<typeof newClient>;

export function newClient(credentials: Credentials, env: NodeJS.ProcessEnv) {
  const key =
    "apiToken" in credentials
      ? { apiToken: credentials.apiToken }
      : { apiEmail: credentials.email, apiKey: credentials.apiKey, apiToken: null };
  return createClient({
    ...key,
    baseURL: env.CLOUDFLARE_API_BASE_URL || "https://api.cloudflare.com/client/v4",
    resources: [
      BaseAccounts,
      BaseTokens,
      BasePermissionGroups,
      BaseZones,
      BaseRecords,
      BaseRoutes,
      BaseScripts,
      BaseScriptAndVersionSettings,
      BaseSchedules,
      BaseSubdomain,
      BasePhases,
      BaseRules,
      BaseCloudflared,
    ],
    timeout: ATTEMPT_MS,
    maxRetries: 2,
    logLevel: "off",
  });
}

/** What a call's failure may be taken for: `missing` when there is nothing at the address. */
export type CallOutcome<T> = { value: T } | "missing" | "not-allowed";

/** One call; every failure that is no outcome is an `InfraError` that names what was tried. */
export async function attempt<T>(what: string, ask: () => PromiseLike<T>): Promise<CallOutcome<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    if (error instanceof APIError) {
      if (error.status === 404) return "missing";
      if (error.status === 403) return "not-allowed";
    }
    throw new InfraError(
      error instanceof APIError && error.status === 401 ? "credentials-refused" : "cloudflare-failed",
      `Cloudflare's API did not ${what}: ${reason(error)}`,
      { cause: error },
    );
  }
}

/** A call that has to succeed, with the right that it needs. */
export async function call<T>(what: string, right: RightKey, ask: () => PromiseLike<T>): Promise<T> {
  const outcome = await attempt(what, ask);
  if (outcome === "missing")
    throw new InfraError(
      "cloudflare-failed",
      `Cloudflare's API did not ${what}: it is not there (any more).`,
    );
  if (outcome === "not-allowed")
    throw new InfraError(
      "rights-missing",
      `Cloudflare's API did not ${what}: the token lacks the right "${RIGHTS[right].name}".`,
    );
  return outcome.value;
}

export async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of pages) items.push(item);
  return items;
}

function reason(error: unknown): string {
  if (error instanceof APIConnectionTimeoutError)
    return "it took too long. Try again later, or see https://www.cloudflarestatus.com.";
  if (error instanceof APIConnectionError) return "it could not be reached. Check the network and try again.";
  if (!(error instanceof APIError)) return error instanceof Error ? error.message : String(error);
  const details =
    error.errors.map(({ code, message }) => `${message} (code ${code})`).join("; ") ||
    `status ${error.status}`;
  if (error.status === 401) return `it refused the credentials: ${details}.`;
  if (error.status === 429) return `too many calls; try again in some minutes (${details}).`;
  return `${details}.`;
}
