/** What a user asks for, as changes of the desired state. Pure: the reconciler makes it so. */

import { type Config, defaultTarget, type Target } from "../../core/config/model/config-model.ts";
import { offeredTargets, sessionOfTarget, targetKind } from "../../core/config/model/target.ts";
import { ownValue } from "../../core/own-value.ts";
import { httpOrigin, isHttpUrl, type SessionAccess } from "../../core/session/session-document.ts";
import { isSessionName, randomName } from "../../core/session/session-name.ts";
import { type Text, text } from "../../core/text.ts";
import { LinkupError } from "./problem.ts";
import { assertPublished } from "./published.ts";
import {
  findRunning,
  isDesired,
  isExpired,
  isOwnRecord,
  newRecord,
  ownRecord,
  type Selector,
} from "./records.ts";
import { accessOf, UNGUESSABLE_SUFFIX, withoutToken } from "./session-documents.ts";
import type { SessionRecord, State } from "./state.ts";

/** The input that starting and creating a session share. */
export interface SessionIntent {
  configPath: string;
  config: Config;
  /** Null for a session without a Worker. */
  workerToken: string | null;
  /** The requested name; undefined for its previous name, or a new one. */
  name: string | undefined;
  /** Who can open it, instead of what the file says; undefined: as before. */
  access?: SessionAccess | undefined;
  /** Keeps running without any window. */
  keep: boolean;
}

/** What the existing Linkup's command remembers of a file. */
export interface ExistingSession {
  name: string;
  /** Proves to the Worker that the name is ours. */
  token: string;
  /** By service. */
  targets: Record<string, Target>;
}

/**
 * Requests the file's primary session. `first`: what it begins with when this machine never had it: the existing Linkup's
 * session, or all services at `target`. `adopted`: it was running already.
 */
export function applyStart(
  state: State,
  kind: "tunneled" | "isolated",
  wanted: SessionIntent,
  now: number,
  first: { existing?: ExistingSession | undefined; target?: Target } = {},
): { id: string; adopted: boolean } {
  for (const other of state.sessions) {
    if (other.config_path === wanted.configPath && other.kind !== kind && !other.secondary)
      other.desired = "stopped";
  }
  const isNew = !state.sessions.some((record) => isOwnRecord(record, wanted.configPath, kind));
  const record = ownRecord(state, wanted.configPath, kind, wanted.config);
  if (isNew) record.targets = firstTargets(wanted.config, wanted.config.services, first.target);
  if (first.existing) continueExisting(state, record, first.existing);
  const adopted = isDesired(record) && record.confirmed !== null;
  if (!isDesired(record)) record.keep = false;
  want(state, record, wanted, now);
  return { id: record.id, adopted };
}

/** What the file says, or `otherwise`; a service that is not named runs remote. */
function firstTargets(
  config: Config,
  services: Config["services"],
  otherwise: Target = "remote",
): Record<string, Target> {
  return Object.fromEntries(
    services.flatMap((service) => {
      const target = defaultTarget(config, service) ?? otherwise;
      return target === "remote" ? [] : [[service.name, target] as const];
    }),
  );
}

/** Only for a record without a name: an existing name takes precedence. */
function continueExisting(
  state: State,
  record: SessionRecord,
  { name, token, targets }: ExistingSession,
): void {
  if (record.name !== null || state.sessions.some((other) => other.name === name)) return;
  const known = new Set(record.config.services.map((service) => service.name));
  record.name = name;
  record.session_token = token;
  for (const [service, target] of Object.entries(targets))
    if (known.has(service)) record.targets = { ...record.targets, [service]: target };
}

/** Requests a secondary session: a preview, or an isolated one. `locations`: overrides of the file's, by service. */
export function applyCreate(
  state: State,
  kind: "preview" | "isolated",
  wanted: SessionIntent,
  locations: Record<string, string>,
  now: number,
  expiresIn?: number,
): { id: string; adopted: boolean } {
  checkGivenLocations(kind, wanted.config, locations);
  const same = state.sessions.find(
    (record) =>
      record.secondary &&
      record.kind === kind &&
      record.config_path === wanted.configPath &&
      (wanted.name === undefined ? sameLocations(record.locations, locations) : record.name === wanted.name),
  );
  const record = same ?? newRecord(kind, wanted.config, { config_path: wanted.configPath, secondary: true });
  if (!same) state.sessions.push(record);
  record.locations = locations;
  delete record.expires_at;
  if (expiresIn !== undefined) record.expires_at = now + expiresIn * 1000;
  record.targets =
    kind === "isolated"
      ? Object.fromEntries(Object.keys(locations).map((name) => [name, "local" as const]))
      : {};
  const adopted = isDesired(record) && record.confirmed !== null;
  want(state, record, wanted, now);
  return { id: record.id, adopted };
}

function want(
  state: State,
  record: SessionRecord,
  { config, workerToken, name: askedName, access, keep }: SessionIntent,
  now: number,
): void {
  if (access === undefined) forgetAccess(record, config);
  else record.access = access;
  const isUnguessable = accessOf({ ...record, config }) === "unguessable";
  const name = isUnguessable && isExtended(record.name, askedName) ? undefined : askedName;
  assertNameFree(state, record, name);
  if (!isDesired(record)) record.since = now;
  record.desired = "running";
  record.keep ||= keep;
  const own = ownConfig(record, config);
  retirePrevious(state, record, name ?? record.name, own);
  record.config = own;
  record.worker_token = workerToken;
  // Sent again even when nothing changed: the Worker may have forgotten the session.
  record.worker_hash = null;
  record.env_files = null;
  // An explicit request resets the backoff.
  record.last_error = null;
  if (record.connector) record.connector = { ...record.connector, retry_at: 0 };
  state.local_server = { ...state.local_server, failures: 0, retry_at: 0, problem: null };
  delete record.name_asked;
  if (name === undefined) return;
  record.name = name;
  if (record.kind === "tunneled") record.name_asked = true;
}

/**
 * A session that changes its name or Worker leaves a stopped copy of itself behind: taking that
 * down deletes it from the old Worker and ends its cloudflared.
 */
function retirePrevious(state: State, record: SessionRecord, name: string | null, config: Config): void {
  const moved = config.linkup.worker_url !== record.config.linkup.worker_url;
  if (record.kind === "isolated" || record.worker === null || record.name === null) return;
  if (!moved && name === record.name) return;
  state.sessions.push({
    ...structuredClone(record),
    id: randomName(12),
    secondary: true,
    desired: "stopped",
    worker_hash: record.worker_hash ?? "given up",
    // The local server may serve the successor under the same name, so nothing is deleted there.
    local_server_hash: null,
    env_files: null,
  });
  record.worker = null;
  record.tunnel = null;
  record.origin_secret = null;
  delete record.confirmed_access;
  delete record.trace_key;
  record.worker_hash = null;
  record.connector = null;
}

/** A file that says something else now is newer than the user's choice. Only by choice does a session stop being private. */
function forgetAccess(record: SessionRecord, { linkup }: Config): void {
  if (record.access !== "private" && linkup.access !== record.config.linkup.access) delete record.access;
}

/** True when the record has this name already, with the random characters that the Worker added. */
function isExtended(name: string | null, asked: string | undefined): boolean {
  if (asked === undefined || name === null) return false;
  return name.startsWith(`${asked}-`) && UNGUESSABLE_SUFFIX.test(name);
}

/** Checks this machine only; the Worker checks its own names. */
function assertNameFree(state: State, record: SessionRecord, name: string | undefined): void {
  if (name === undefined || name === record.name) return;
  if (isDesired(record) && record.name !== null) {
    throw new LinkupError(
      "name-fixed",
      text("The session runs as {0}. Stop it first to give it the name {1}.", record.name, name),
      [{ command: "stop", title: "Stop", terminal: `linkup stop --session ${record.name}` }],
    );
  }
  if (state.sessions.some((other) => other.name === name && isDesired(other)))
    throw new LinkupError(
      "name-taken",
      text("The name {0} is used by another session on this machine.", name),
    );
}

export function applyStop(state: State, selector: Selector | "all"): void {
  const ended = selector === "all" ? state.sessions : [findRunning(state, selector)];
  for (const record of ended) record.desired = "stopped";
  state.set_aside = [];
}

/** True when the session would go to another Worker than its token was given for. */
export function movesWorker({ kind, config }: Pick<SessionRecord, "kind" | "config">, next: Config): boolean {
  return kind !== "isolated" && config.linkup.worker_url !== next.linkup.worker_url;
}

/** Applies a saved file to all its sessions. `workerToken`: for those that change their Worker. */
export function applyConfig(state: State, configPath: string, config: Config, workerToken?: string): void {
  for (const record of state.sessions) {
    if (record.config_path !== configPath || !isDesired(record)) continue;
    const own = ownConfig(record, config);
    retirePrevious(state, record, record.name, own);
    record.targets = targetsAfterRename(record.targets, record.config, own);
    if (movesWorker(record, config)) record.worker_token = workerToken ?? null;
    forgetAccess(record, config);
    record.config = own;
    record.last_error = null;
  }
}

/** A service that has another name and the same URLs as before was renamed: it stays where it is routed. */
function targetsAfterRename(
  targets: Record<string, Target>,
  before: Config,
  after: Config,
): Record<string, Target> {
  const without = (services: Config["services"], others: Config["services"]) =>
    services.filter(({ name }) => !others.some((other) => other.name === name));
  const added = without(after.services, before.services);
  const moved = without(before.services, after.services).flatMap(({ name, local, remote }) => {
    const [renamed, another] = added.filter(
      (service) => service.local === local && service.remote === remote,
    );
    const target = ownValue(targets, name);
    return renamed && !another && target ? [[renamed.name, target] as const] : [];
  });
  // A service that the file has only now begins where the file says.
  const fresh = added.filter(({ name }) => !Object.hasOwn(targets, name));
  return { ...firstTargets(after, fresh), ...targets, ...Object.fromEntries(moved) };
}

/** Returns the previous targets, and by whom, for a rollback. */
export function applyTarget(
  state: State,
  selector: Selector,
  services: readonly string[] | "all",
  target: Target,
): { id: string; before: Record<string, Target>; routedBy: Record<string, string> | undefined } {
  const record = findRunning(state, selector);
  if (record.kind === "preview") {
    throw new LinkupError(
      "toggle-failed",
      text(
        "{0} is a preview, which has no copies on this machine. Create it again with other locations instead.",
        record.name ?? "",
      ),
    );
  }
  const names = services === "all" ? record.config.services.map(({ name }) => name) : services;
  knownServices(record.config, names);
  checkTarget(record, names, target);
  const { targets: before, routed_by: routedBy } = record;
  record.targets = { ...before, ...Object.fromEntries(names.map((name) => [name, target])) };
  const others = Object.entries(record.routed_by ?? {}).filter(([name]) => !names.includes(name));
  if (others.length > 0) record.routed_by = Object.fromEntries(others);
  else delete record.routed_by;
  return { id: record.id, before, routedBy };
}

/** Throws a LinkupError for a session that does not run, and for names that its file does not have. Returns how to take it back. */
export function applyOverrides(
  state: State,
  selector: Selector,
  names: readonly string[] | "all",
  on: boolean,
): { id: string; undo(record: SessionRecord): void } {
  const record = findRunning(state, selector);
  const known = (record.config.overrides ?? []).map(({ name }) => name);
  const unknown = names === "all" ? undefined : names.find((name) => !known.includes(name));
  if (unknown !== undefined || known.length === 0)
    throw new LinkupError(
      "override-unknown",
      known.length === 0
        ? text("linkup.yaml has no overrides.")
        : text("There is no override {0}. linkup.yaml has: {1}.", unknown!, known.join(", ")),
    );
  if (record.kind === "preview")
    throw new LinkupError(
      "override-unknown",
      text("A preview is on the Worker only, and overrides act on this machine."),
    );
  const chosen = names === "all" ? known : names;
  const switched = Object.fromEntries(chosen.map((name) => [name, on]));
  return replaced(record, "overrides", { ...record.overrides, ...switched });
}

/** Throws a LinkupError for a session that nobody else can open anyway. Returns how to take it back. */
export function applyAccess(
  state: State,
  selector: Selector,
  access: SessionAccess,
): { id: string; undo(record: SessionRecord): void } {
  const record = findRunning(state, selector);
  assertPublished(record);
  return replaced(record, "access", access);
}

/** Throws a LinkupError for a session that nobody else can reach. Returns how to take it back. */
export function applyShareTargets(
  state: State,
  selector: Selector,
  shared: boolean,
): { id: string; undo(record: SessionRecord): void } {
  const record = findRunning(state, selector);
  assertPublished(record);
  return replaced(record, "share_targets", shared ? true : undefined);
}

/** Sets a member, or removes it for undefined. Returns how to take it back. */
function replaced<K extends "overrides" | "access" | "share_targets">(
  record: SessionRecord,
  member: K,
  value: SessionRecord[K],
): { id: string; undo(record: SessionRecord): void } {
  const before = record[member];
  const set = (record: SessionRecord, value: SessionRecord[K]) => {
    if (value === undefined) delete record[member];
    else record[member] = value;
  };
  set(record, value);
  return { id: record.id, undo: (record) => set(record, before) };
}

/** Checks that the session can have each of these services there. */
function checkTarget(record: SessionRecord, names: readonly string[], target: Target): void {
  const refuse = (message: Text) => {
    throw new LinkupError("target-unknown", message);
  };
  switch (targetKind(target)) {
    case "url":
      if (!isHttpUrl(target)) refuse(text('"{0}" is not an http or https URL.', target));
      return;
    case "session": {
      const name = sessionOfTarget(target)!;
      if (!isSessionName(name)) refuse(text('"{0}" is not a session name.', name));
      if (name === record.name) refuse(text("{0} is this session itself.", name));
      if (record.kind === "isolated")
        refuse(
          text("Only the Worker knows where {0} has its services, and an isolated session has none.", name),
        );
      return;
    }
    case "named":
      for (const { name, targets = {} } of record.config.services)
        if (names.includes(name) && !Object.hasOwn(targets, target))
          refuse(
            text(
              '{0} has no target "{1}". Use one of {2}, a URL, or session:NAME.',
              name,
              target,
              offeredTargets({ targets }).join(", "),
            ),
          );
  }
}

/** Forgets previews whose time is over: the Worker deletes them by itself, unless somebody extended them there. */
export function forgetExpired(state: State, now: number): void {
  state.sessions = state.sessions.filter((record) => !isExpired(record, now));
}

/** The file's content for this session: with its location overrides, and without the token. */
export function ownConfig(
  { kind, locations }: Pick<SessionRecord, "kind" | "locations">,
  config: Config,
): Config {
  const own = kind === "preview" ? ("remote" as const) : ("local" as const);
  const services = config.services.map((service) => {
    const location = ownValue(locations, service.name);
    return location === undefined ? service : { ...service, [own]: location };
  });
  return withoutToken({ ...config, services });
}

/** Checks that each location is an http(s) URL of a known service; local copies may be `h2c` as well. */
export function checkGivenLocations(
  kind: "preview" | "isolated",
  config: Config,
  locations: Record<string, string>,
): void {
  knownServices(config, Object.keys(locations));
  for (const [name, location] of Object.entries(locations)) {
    const known = kind === "preview" ? isHttpUrl(location) : httpOrigin(location) !== undefined;
    if (known && URL.canParse(location)) continue;
    throw new LinkupError(
      "location-invalid",
      kind === "preview"
        ? text('The location of {0} must be an http or https URL, not "{1}".', name, location)
        : text('The location of {0} must be an http, https or h2c URL, not "{1}".', name, location),
    );
  }
}

function sameLocations(a: Record<string, string>, b: Record<string, string>): boolean {
  const sorted = (locations: Record<string, string>) => JSON.stringify(Object.entries(locations).sort());
  return sorted(a) === sorted(b);
}

function knownServices(config: Config, names: readonly string[]): void {
  const known = config.services.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new LinkupError(
    "service-unknown",
    text(
      "This session has no service {0}. Its services: {1}.",
      unknown.map((name) => `"${name}"`).join(" and "),
      known.join(", "),
    ),
  );
}
