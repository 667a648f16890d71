/** Deploy, watch and remove the Worker: what the command line and VS Code call. */
import { type ApplyOptions, applyPlan, newWorkerToken } from "./apply.ts";
import { all, type CloudflareClient, call, newClient } from "./cloudflare.ts";
import { type Credentials, credentialsOf, neededCredentials, tokenPage } from "./credentials.ts";
import { InfraError, type InfraErrorCode } from "./errors.ts";
import { type LiveState, readLive } from "./live.ts";
import { checkFromOutside, type OutsideCheck } from "./outside.ts";
import {
  conflicts,
  type DeploymentPlan,
  type DeploymentSpec,
  isDone,
  type PlannedChange,
  type PlannedResource,
} from "./plan.ts";
import { planDeploy } from "./plan-deploy.ts";
import { planDestroy } from "./plan-destroy.ts";
import { type WaitOptions, waitUntilLive } from "./wait.ts";
import { readWorkerBundle, type WorkerBundle } from "./worker-bundle.ts";

export type { Credentials, DeploymentPlan, InfraErrorCode, OutsideCheck, PlannedChange, PlannedResource };
export { conflicts, credentialsOf, InfraError, isDone, newWorkerToken, tokenPage };

export interface InfraOptions {
  /** The folder of the package, with the Worker's bundle and configuration. */
  root: string;
  version: string;
  env: NodeJS.ProcessEnv;
  /** Default: from the environment. */
  credentials?: Credentials | undefined;
  name?: string | undefined;
  zones: readonly string[];
  /** More zones, by their ids. */
  zoneIds?: readonly string[] | undefined;
  /** Default: the first zone. */
  tunnelZone?: string | undefined;
  allowOlder?: boolean | undefined;
}

/** A plan with all that applying it needs. Nothing is changed before `apply`. */
export interface Proposal {
  plan: DeploymentPlan;
  /** Names of the zones whose hosts sessions use. */
  zones: readonly string[];
  /** `active`, `pending`…, by the zone's name. */
  zoneStatus: Readonly<Record<string, string>>;
  /** True when the Worker's main token has to be made or given: there is no script yet, or it has none. */
  needsWorkerToken: boolean;
  /**
   * Throws `changed-meanwhile` when what is at Cloudflare is no longer what was planned for.
   * `workerToken`: at least 32 characters, when `needsWorkerToken`.
   */
  apply(options: {
    workerToken?: string | undefined;
    progress: ApplyOptions["progress"];
    signal?: AbortSignal;
  }): Promise<void>;
}

const DEFAULT_NAME = "linkup";
const MIN_TOKEN_LENGTH = 32;

/** The zones that these credentials see, to choose from. */
export async function zonesOf(
  credentials: Credentials,
  env: NodeJS.ProcessEnv,
): Promise<{ name: string; status: string }[]> {
  const client = newClient(credentials, env);
  const zones = await call("list the zones", "zones", () => all(client.zones.list({ per_page: 50 })));
  return zones.map(({ name, status }) => ({ name, status: status ?? "active" }));
}

export async function proposeDeploy(options: InfraOptions): Promise<Proposal> {
  const { client, wanted, bundle, read } = await prepared(options);
  return proposal(options, client, bundle, wanted, read, (live) => planDeploy(live, wanted, bundle));
}

export async function proposeDestroy(options: InfraOptions): Promise<Proposal> {
  const { client, wanted, bundle, read } = await prepared(options);
  return proposal(options, client, bundle, wanted, read, (live) => planDestroy(live, wanted.name));
}

type StatusOptions = InfraOptions & { workerToken?: string | undefined };

/** The deployed state against what this version would deploy, and what can be seen from outside. */
export async function status(
  options: StatusOptions,
): Promise<{ plan: DeploymentPlan; checks: readonly OutsideCheck[] }> {
  const proposal = await proposeDeploy(options);
  return { plan: proposal.plan, checks: await outsideChecks(options, proposal) };
}

/** Waits until the zones of a deployment are live: see `waitUntilLive`. */
export async function waitForDeployment(
  options: StatusOptions,
  proposal: Proposal,
  wait: WaitOptions,
): Promise<OutsideCheck[]> {
  // A zone that is not active yet waits for its registrar: hours, mostly.
  const isPending = Object.values(proposal.zoneStatus).some((status) => status !== "active");
  return waitUntilLive(() => outsideChecks(options, proposal), {
    ...wait,
    ...(isPending ? { timeoutMs: 0 } : {}),
  });
}

async function outsideChecks(
  { version, workerToken }: StatusOptions,
  { zones, zoneStatus }: Proposal,
): Promise<OutsideCheck[]> {
  const checks = zones.map((zone) =>
    checkFromOutside({ zone, zoneStatus: zoneStatus[zone] ?? "active", version, workerToken }),
  );
  return (await Promise.all(checks)).flat();
}

async function prepared(options: InfraOptions) {
  const client = newClient(options.credentials ?? neededCredentials(options.env), options.env);
  const named = [...options.zones];
  for (const zone_id of options.zoneIds ?? [])
    named.push((await call(`read the zone ${zone_id}`, "zones", () => client.zones.get({ zone_id }))).name);
  const [firstZone] = named;
  if (!firstZone) throw new InfraError("zone-unknown", "Name at least one zone: --zone example.com");
  const tunnelZone = options.tunnelZone ?? firstZone;
  const zones = [...new Set(named.map((zone) => zone.toLowerCase()))];
  const wanted: DeploymentSpec = {
    name: options.name ?? DEFAULT_NAME,
    zones,
    tunnelZone: tunnelZone.toLowerCase(),
    allowOlder: options.allowOlder ?? false,
  };
  if (!/^[a-z][a-z0-9-]{0,20}$/.test(wanted.name))
    throw new InfraError(
      "conflict",
      `"${wanted.name}" cannot be the Worker's name: up to 21 of a-z, 0-9 and "-", starting with a letter.`,
    );
  const bundle = await readWorkerBundle(options.root, options.version);
  const read = () =>
    readLive(client, {
      name: wanted.name,
      zones: [...new Set([...zones, wanted.tunnelZone])],
      accountId: options.env.CLOUDFLARE_ACCOUNT_ID,
      runtimeTokenGiven: Boolean(options.env.CLOUDFLARE_RUNTIME_API_TOKEN),
    });
  return { client, wanted, bundle, read };
}

async function proposal(
  { env }: InfraOptions,
  client: CloudflareClient,
  bundle: WorkerBundle,
  wanted: DeploymentSpec,
  read: () => Promise<LiveState>,
  planFor: (live: LiveState) => DeploymentPlan,
): Promise<Proposal> {
  const state = await read();
  const plan = planFor(state);
  const needsWorkerToken = plan.resources.some(
    ({ step }) => step?.do === "upload-script" && step.secrets.includes("WORKER_TOKEN"),
  );
  return {
    plan,
    zones: wanted.zones,
    zoneStatus: Object.fromEntries(state.zones.map(({ name, status }) => [name, status])),
    needsWorkerToken,
    async apply({ workerToken, progress, signal }) {
      if (needsWorkerToken && (workerToken?.length ?? 0) < MIN_TOKEN_LENGTH)
        throw new InfraError(
          "worker-token-missing",
          `The Worker's token needs at least ${MIN_TOKEN_LENGTH} characters.`,
        );
      const live = await read();
      if (JSON.stringify(planFor(live)) !== JSON.stringify(plan))
        throw new InfraError(
          "changed-meanwhile",
          "Something at Cloudflare changed after the plan was made, perhaps by another deployment. Look at a new plan.",
        );
      const tunnelZoneId = live.zones.find(({ name }) => name === wanted.tunnelZone)!.id;
      await applyPlan({
        client,
        plan,
        live,
        bundle,
        tunnelZoneId,
        workerToken,
        runtimeToken: env.CLOUDFLARE_RUNTIME_API_TOKEN,
        progress,
        signal,
      });
    },
  };
}
