/** What the views show: the snapshot of this machine, seen from this window's workspace. */
import type { Target } from "../core/config/model/target.ts";
import type { SessionState, SessionView, Snapshot } from "../manager/model/snapshot.ts";

/** A linkup.yaml of this workspace. */
export interface ConfigFile {
  /** Absolute. */
  path: string;
  /** The name of the workspace folder it belongs to. */
  folder: string;
  /** The services in the file; empty while it has errors. */
  services: readonly ConfiguredService[];
  /** Number of errors; a file with errors cannot be started. */
  errors: number;
  /** Position of the first error, 0-based. */
  firstError?: { line: number; column: number };
}

/** A service as the file has it. */
export interface ConfiguredService {
  name: string;
  remote: string;
  local: string;
  /** Relative to the file. */
  directory?: string;
  /** The command that starts it. */
  run?: string;
}

export interface WindowModel {
  snapshot: Snapshot;
  configs: readonly ConfigFile[];
  /** Config paths whose start is in progress but not yet in the snapshot. */
  starting: ReadonlySet<string>;
  trusted: boolean;
  /** Those of colleagues; missing where there are none. */
  joined?: readonly JoinedSession[];
  /** Undefined until the Requests view was opened in this window. */
  requests?: RequestCounts | undefined;
}

/** A colleague's session that this user may route. */
export interface JoinedSession {
  session: string;
  workerUrl: string;
  /** `stopped`: by its owner. `ended`: the invite was revoked or is over. */
  state: "running" | "stopped" | "ended" | "unreachable";
  /** When the invite ends; milliseconds since the epoch. Missing unless it runs. */
  expires?: number;
  /** By name; empty unless it runs. */
  services: readonly JoinedService[];
}

export interface JoinedService {
  name: string;
  target: Target;
  /** Who routed it by an invite; missing where the owner did it. */
  by?: string;
}

export interface ServiceCounts {
  perMinute: number;
  errors: number;
  /** Requests that it sent without the session, in the last minutes. */
  lost: number;
}

export interface RequestCounts {
  /** Requests of the last minute and how many of them failed, by session and service: `slim-gecko/api`. */
  services: Readonly<Record<string, ServiceCounts>>;
  /** Failed requests since the user last looked at the view. */
  newErrors: number;
}

/** The state of a workspace, which decides what is offered. */
export type WorkspaceState = "none" | "invalid" | "stopped" | SessionState;

/** The file's own session; previews and isolated sessions beside it do not count. */
export function sessionOf({ snapshot }: WindowModel, configPath: string): SessionView | undefined {
  return snapshot.sessions.find((session) => session.configPath === configPath && !session.secondary);
}

/** The session of this file that a start of this kind would end: one that runs and is of the other kind. */
export function replacedBy(
  model: WindowModel,
  configPath: string,
  kind: "tunneled" | "isolated",
): SessionView | undefined {
  const session = sessionOf(model, configPath);
  return session && session.kind !== kind && (session.state === "running" || session.state === "starting")
    ? session
    : undefined;
}

/** For callers that cannot ask the user: throws when the start would end another session. */
export function assertReplacesNone(
  model: WindowModel,
  configPath: string,
  kind: "tunneled" | "isolated",
): void {
  const other = replacedBy(model, configPath, kind);
  if (!other) return;
  const name = other.name ?? "of this workspace";
  throw new Error(
    `The session ${name} is running and is ${other.kind}: stop it before you start it ${kind}.`,
  );
}

/** The workspace's own sessions, in the order of its folders. */
export function ownSessions(model: WindowModel): SessionView[] {
  return model.configs.flatMap(({ path }) => sessionOf(model, path) ?? []);
}

/** The name of a session of this workspace that runs: its own one before previews and isolated ones beside it. */
export function runningSession(model: WindowModel): string | undefined {
  const paths = model.configs.map(({ path }) => path);
  const beside = model.snapshot.sessions.filter(({ configPath = "" }) => paths.includes(configPath));
  return [...ownSessions(model), ...beside].find(({ state }) => state === "running")?.name;
}

/** All other sessions: previews, isolated ones, and those of other windows and terminals. */
export function otherSessions(model: WindowModel): SessionView[] {
  const own = new Set(ownSessions(model));
  return model.snapshot.sessions.filter((session) => !own.has(session));
}

/** Configs without a session. */
export function idleConfigs(model: WindowModel): ConfigFile[] {
  return model.configs.filter(({ path }) => !sessionOf(model, path));
}

export function workspaceState(model: WindowModel): WorkspaceState {
  const session = ownSessions(model)[0];
  if (session) return session.state;
  const [config] = model.configs;
  if (!config) return "none";
  if (model.configs.some(({ path }) => model.starting.has(path))) return "starting";
  return config.errors > 0 ? "invalid" : "stopped";
}

/** `localhost:3101` of `http://localhost:3101/`. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

/** Replaces absolute paths of this workspace's files in a message by short names. */
export function withShortPaths(message: string, configs: readonly ConfigFile[]): string {
  return configs.reduce((text, { path, folder }) => {
    const name = path.split(/[\\/]/).at(-1)!;
    return text.replaceAll(path, configs.length > 1 ? `${folder}/${name}` : name);
  }, message);
}

/** The first line of a message, without the sentence that introduces the lines after it. */
export function firstLine(message: string): string {
  const [first = "", ...more] = message.split("\n");
  return more.length === 0 ? first : first.replace(/(?<=\.) [^.]*:$/, "");
}
