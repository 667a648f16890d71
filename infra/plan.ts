/**
 * The plan of a deployment as a value: what there is, what there should be, and the steps between.
 * Pure functions; `live.ts` reads, `apply.ts` acts.
 */

/** What the user asked for, after defaults. */
export interface DeploymentSpec {
  /** The Worker script's name. */
  name: string;
  /** Names of the zones whose hosts sessions use: they get the routes, and the records `*` and `@`. */
  zones: readonly string[];
  /** The zone whose host names lead to tunnels. When it is not in `zones`, no route of it leads to the Worker. */
  tunnelZone: string;
  /** Deploy over a newer version. */
  allowOlder: boolean;
}

export type PlannedChange = "create" | "change" | "keep" | "remove" | "conflict";

/** One act at Cloudflare. Data, so that a plan can be shown, compared and kept. */
export type PlannedStep =
  | { do: "create-token" }
  | { do: "replace-token"; id: string }
  | {
      do: "upload-script";
      variables: Record<string, string>;
      secrets: readonly SecretName[];
      migrate: boolean;
    }
  | { do: "disable-subdomain" }
  | { do: "set-schedule" }
  | { do: "create-record"; zoneId: string; host: string }
  | { do: "proxy-record"; zoneId: string; id: string }
  | { do: "create-route"; zoneId: string; pattern: string }
  | { do: "create-cache-rule"; zoneId: string; expression: string }
  | { do: "change-cache-rule"; zoneId: string; rulesetId: string; id: string; expression: string }
  | { do: "delete-route"; zoneId: string; id: string }
  | { do: "delete-record"; zoneId: string; id: string }
  | { do: "delete-cache-rule"; zoneId: string; rulesetId: string; id: string }
  | { do: "delete-tunnel"; id: string }
  | { do: "delete-script" }
  | { do: "delete-token"; id: string };

export type SecretName = "WORKER_TOKEN" | "CLOUDFLARE_API_TOKEN";

export interface PlannedResource {
  kind:
    | "API token"
    | "script"
    | "schedule"
    | "workers.dev"
    | "DNS record"
    | "route"
    | "cache rule"
    | "tunnel";
  /** As people know it: `*.example.com/*`. */
  name: string;
  change: PlannedChange;
  why: string;
  /** Absent for `keep` and `conflict`. */
  step?: PlannedStep;
}

export interface DeploymentPlan {
  action: "deploy" | "destroy";
  account: { id: string; name: string };
  worker: string;
  /** In the order of their steps. */
  resources: readonly PlannedResource[];
  /** What else the user should know before saying yes. */
  warnings: readonly string[];
  /** For `destroy`: what stays, and why. */
  stays: readonly string[];
}

/** True when applying the plan would change nothing. */
export function isDone({ resources }: DeploymentPlan): boolean {
  return resources.every(({ change }) => change === "keep");
}

export function conflicts({ resources }: DeploymentPlan): readonly PlannedResource[] {
  return resources.filter(({ change }) => change === "conflict");
}
