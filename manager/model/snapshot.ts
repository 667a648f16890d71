/** An immutable snapshot of all sessions and components on this machine. */
import type { Target } from "../../core/config/model/config-model.ts";
import type { AutoState, SessionAccess, SessionKind } from "../../core/session/session-document.ts";
import type { Text } from "../../core/text.ts";
import { type Problem, reportedProblem } from "./problem.ts";
import type { Selector } from "./records.ts";

export interface Snapshot {
  sessions: readonly SessionView[];
  components: readonly ComponentView[];
  problems: readonly Problem[];
}

/** The selected session; undefined when this machine does not have it. */
export function selectedSession(
  { sessions }: Pick<Snapshot, "sessions">,
  selector: Selector,
): SessionView | undefined {
  return sessions.find((session) =>
    "name" in selector
      ? session.name === selector.name
      : session.configPath === selector.configPath && !session.secondary,
  );
}

export type SessionState = "starting" | "running" | "stopping" | "failed";

export interface SessionView {
  /** Undefined until the Worker has given it one. */
  name: string | undefined;
  kind: SessionKind;
  state: SessionState;
  /** The linkup.yaml it came from, absolute; undefined for previews created by hand. */
  configPath: string | undefined;
  /** Who can open it; missing for an isolated session, which is on this machine only. */
  access?: SessionAccess;
  /** Created in addition to the file's primary session: a preview, or an isolated one. */
  secondary: boolean;
  workerUrl: string;
  /** One per domain, in the order of the file; empty until there is a name. Without the following ones. */
  urls: readonly string[];
  /** Those that browsers refuse: Cloudflare has no certificate for hosts two labels below their zone. Missing when all work. */
  urlsWithoutCertificate?: readonly string[];
  /** Set when other sessions may route to its services. */
  shareTargets?: true;
  services: readonly ServiceView[];
  /** Those of its file, in order. Missing when there are none. */
  overrides?: readonly OverrideView[];
}

export interface OverrideView {
  name: string;
  on: boolean;
  /** The only service that it is about; undefined: all. */
  service: string | undefined;
  /** Its requests go to `local`, `remote` or a URL, or it does this with them. */
  does: string;
  /** What its requests have in common: `POST ^/pay`. */
  when: string;
  /** The Worker does not know overrides: only requests of this machine are overridden. */
  unsupported?: true;
}

export type Health = "unknown" | "healthy" | "unhealthy";

export interface ServiceView {
  name: string;
  /** The target that the local server and the Worker have confirmed: see core/config/model/target.ts. */
  target: Target;
  /** Where the target `auto` has it now. */
  now?: AutoState;
  /** While that is `restarting`: for how long the local copy has to listen before requests go there. Milliseconds. */
  waitMs?: number;
  /** Why it goes to the remote copy, where another session should serve it. */
  fallback?: string;
  /** The URL of a target beyond local and remote. */
  url?: string;
  /** The names of the file's further targets. */
  targets?: readonly string[];
  /** True while a toggle is under way. */
  changing: boolean;
  /** Who routed it last by an invite; missing when it was this machine's user. */
  routedBy?: string;
  /** Set when the session takes it from another URL than the file's, as a preview does. */
  overridden?: true;
  local: string;
  remote: string;
  /** The health of the copy that its requests reach now. */
  health: Health;
  /** Milliseconds of the last probe that was answered. */
  latencyMs: number | undefined;
  /** Why it is unhealthy, in English. */
  reason: string | undefined;
  /** The same for a translation. */
  reasonText?: Text;
}

/** Where a service's requests go now: this machine, its deployed copy, or another place. */
export function placeOf({
  target,
  now,
  fallback,
}: Pick<ServiceView, "target" | "now" | "fallback">): "local" | "remote" | "other" {
  if (fallback !== undefined) return "remote";
  if (target === "auto") return now === "local" ? "local" : "remote";
  return target === "local" || target === "remote" ? target : "other";
}

/** The URL to which a service's requests go now. */
export function addressOf(
  service: Pick<ServiceView, "target" | "now" | "local" | "remote" | "url" | "fallback">,
): string {
  const place = placeOf(service);
  if (place === "local") return service.local;
  return (place === "other" ? service.url : undefined) ?? service.remote;
}

export function isLocalNow(service: Pick<ServiceView, "target" | "now" | "fallback">): boolean {
  return placeOf(service) === "local";
}

export type ComponentId = "local-server" | "tunnel" | "local-dns" | "worker";
export type ComponentState = "stopped" | "starting" | "ready" | "failed";

export interface ComponentView {
  id: ComponentId;
  state: ComponentState;
  /** Undefined for components on other machines. */
  pid: number | undefined;
  /** Milliseconds since the epoch at which it reached this state. */
  since: number;
  /** What a user needs to know: an address, or why it failed. */
  detail: string;
  /** The same for a translation. */
  detailText?: Text;
  /** It works, but is older than this version. */
  outdated: boolean;
}

/** For programs, as docs/user/status.schema.json describes it: without what only the editor needs. */
export function reportedSnapshot(snapshot: Snapshot): Snapshot {
  return {
    ...snapshot,
    sessions: snapshot.sessions.map((session) => ({
      ...session,
      services: session.services.map(({ reasonText, ...service }) => service),
    })),
    components: snapshot.components.map(({ detailText, ...component }) => component),
    problems: snapshot.problems.map(reportedProblem),
  };
}
