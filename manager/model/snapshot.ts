/** What is known of all sessions on this machine, at one moment. Immutable: a change makes a new one. */
import type { Target } from "../../core/config/model/config-model.ts";
import type { SessionKind } from "../../core/session/session-document.ts";
import { type Problem, reportedProblem } from "./problem.ts";

export interface Snapshot {
  sessions: readonly SessionView[];
  components: readonly ComponentView[];
  problems: readonly Problem[];
}

export type SessionState = "starting" | "running" | "stopping" | "failed";

export interface SessionView {
  /** Undefined until the Worker has given it one. */
  name: string | undefined;
  kind: SessionKind;
  state: SessionState;
  /** The linkup.yaml it came from, absolute; undefined for previews created by hand. */
  configPath: string | undefined;
  /** Created beside the file's own session: a preview, or an isolated one. */
  secondary: boolean;
  workerUrl: string;
  /** One per domain, in the order of the file; empty until there is a name. */
  urls: readonly string[];
  services: readonly ServiceView[];
}

export type Health = "unknown" | "healthy" | "unhealthy";

export interface ServiceView {
  name: string;
  /** What is confirmed by the local server and the Worker. */
  target: Target;
  /** True while a toggle is under way. */
  changing: boolean;
  local: string;
  remote: string;
  /** Of the copy that `target` names. */
  health: Health;
  /** Milliseconds of the last probe that was answered. */
  latencyMs: number | undefined;
  /** Why it is unhealthy, in words. */
  reason: string | undefined;
}

export type ComponentId = "local-server" | "tunnel" | "local-dns" | "worker";
export type ComponentState = "stopped" | "starting" | "ready" | "failed";

export interface ComponentView {
  id: ComponentId;
  state: ComponentState;
  /** Undefined for what runs elsewhere. */
  pid: number | undefined;
  /** Milliseconds since the epoch at which it reached this state. */
  since: number;
  /** What a user needs to know: an address, or why it failed. */
  detail: string;
  /** It works, and lacks what one of this version can do. */
  outdated: boolean;
}

/** For programs, as docs/user/status.schema.json describes it. */
export function reportedSnapshot(snapshot: Snapshot): Snapshot {
  return { ...snapshot, problems: snapshot.problems.map(reportedProblem) };
}
