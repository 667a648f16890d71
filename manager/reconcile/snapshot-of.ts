/** The snapshot as a pure function of the state and the observations. */

import type { ServerStatus } from "../../core/api/control-api.ts";
import { OVERRIDES_CAPABILITY } from "../../core/api/worker-api.ts";
import type { ConfigService, Target } from "../../core/config/model/config-model.ts";
import type { ConfigOverride } from "../../core/config/model/overrides-of.ts";
import { sessionOfTarget, targetKind } from "../../core/config/model/target.ts";
import { ownValue } from "../../core/own-value.ts";
import { formatText, type Text, text } from "../../core/text.ts";
import { type Problem, problem, textOf, updateWorker, verbatim } from "../model/problem.ts";
import { isConnected, isDesired, isExpired, isPresent, needsLocalServer } from "../model/records.ts";
import { accessOf, isOverrideOn, targetOf } from "../model/session-documents.ts";
import {
  addressOf,
  type ComponentView,
  type ServiceView,
  type SessionState,
  type SessionView,
  type Snapshot,
} from "../model/snapshot.ts";
import type { SessionRecord, State } from "../model/state.ts";
import { sessionUrls, withoutCertificate } from "../model/urls.ts";
import { isOutdated, ORIGINAL_WORKER } from "../model/worker-version.ts";
import type { HealthBook, HealthResult, ServiceCopy } from "./service-health.ts";

export interface Observations {
  state: State;
  /** Undefined when the local server does not answer. */
  server: ServerStatus | undefined;
  health: HealthBook;
  /** Ours. */
  version: string;
  /** Problems known to this process only. */
  problems: readonly Problem[];
}

export function snapshotOf({ state, server, health, version, problems }: Observations): Snapshot {
  const now = Date.now();
  const records = state.sessions.filter((record) => isPresent(record) && !isExpired(record, now));
  return {
    sessions: records.map((record) => sessionView(record, server, health)),
    components: [
      localServerView(state, server),
      ...localDnsViews(state),
      ...records.flatMap(tunnelView),
      ...workerViews(records, version),
    ],
    problems: [
      ...problems,
      ...movedPort(server, records),
      ...lackedOverrides(records),
      ...records.flatMap((record) => (record.env_files?.problems ?? []).map(about(record))),
      ...state.set_aside,
      ...state.pending_deletions.map(({ problem }) => problem),
      ...[state.local_server.problem, state.local_dns.problem].flatMap((problem) => problem ?? []),
      ...records.flatMap((record) => [problemOfRecord(record) ?? []].flat().map(about(record))),
    ],
  };
}

/** Says whose session a problem is about. */
function about({ config_path }: SessionRecord): (problem: Problem) => Problem {
  return (problem) => (config_path === null ? problem : { ...problem, configPath: config_path });
}

export function sessionView(
  record: SessionRecord,
  server: ServerStatus | undefined,
  health: HealthBook,
): SessionView {
  const urls = sessionUrls(record, server);
  const refused = withoutCertificate(record, urls);
  return {
    name: record.name ?? undefined,
    kind: record.kind,
    state: stateOf(record),
    configPath: record.config_path ?? undefined,
    ...accessView(record),
    secondary: record.secondary,
    workerUrl: record.config.linkup.worker_url,
    urls: urls.filter((url) => !refused.includes(url)),
    ...(refused.length > 0 ? { urlsWithoutCertificate: refused } : {}),
    ...(record.share_targets ? { shareTargets: true as const } : {}),
    services: record.config.services.map((service): ServiceView => {
      const wanted = targetOf(record.targets, service.name);
      const target = targetOf(record.confirmed ?? record.targets, service.name);
      const { local, remote, name, targets } = service;
      const place = { target, local, remote, ...beyond(record, service, target, server) };
      return {
        name,
        ...place,
        ...(targets ? { targets: Object.keys(targets) } : {}),
        changing: isDesired(record) && (record.confirmed === null || wanted !== target),
        ...(record.routed_by && Object.hasOwn(record.routed_by, name)
          ? { routedBy: record.routed_by[name]! }
          : {}),
        ...(Object.hasOwn(record.locations, name) ? { overridden: true as const } : {}),
        ...healthOf(health, place, service),
      };
    }),
    ...overridesView(record),
  };
}

function overridesView(record: SessionRecord): Pick<SessionView, "overrides"> {
  const { config, kind, worker } = record;
  if (!config.overrides?.length || kind === "preview") return {};
  const unsupported = kind === "tunneled" && worker && !worker.capabilities.includes(OVERRIDES_CAPABILITY);
  return {
    overrides: config.overrides.map((override) => ({
      name: override.name,
      on: isOverrideOn(record, override),
      service: override.service,
      does: override.respond
        ? `respond ${override.respond.status ?? 200}`
        : override.fault
          ? "fault"
          : (override.target ?? "remote"),
      when: conditionsText(override),
      ...(unsupported ? { unsupported: true as const } : {}),
    })),
  };
}

function conditionsText({ domain, when }: ConfigOverride): string {
  const { path, methods, headers = {} } = when;
  return [methods?.join(","), domain, path, ...Object.entries(headers).map((header) => header.join(": "))]
    .filter((part) => part !== undefined && part !== "")
    .join(" ");
}

/** Overrides that are on where the Worker does not know them. */
function lackedOverrides(records: readonly SessionRecord[]): Problem[] {
  return records.flatMap((record) => {
    const lacked = overridesView(record).overrides?.filter(({ on, unsupported }) => on && unsupported) ?? [];
    if (!isDesired(record) || lacked.length === 0) return [];
    const message = text(
      "The Worker at {0} is too old for overrides: {1} applies only to requests that start on this machine. Update the Worker.",
      record.config.linkup.worker_url,
      lacked.map(({ name }) => name).join(", "),
    );
    return [about(record)(problem("overrides-unsupported", message, [updateWorker]))];
  });
}

/** The Worker's word counts: one of an earlier version knows of no private sessions. A name that nobody can guess is public to it. */
function accessView(record: SessionRecord): Pick<SessionView, "access"> {
  if (record.kind === "isolated") return {};
  const wanted = accessOf(record) ?? "public";
  const confirmed = record.confirmed_access ?? (record.worker_hash === null ? wanted : "public");
  return { access: confirmed === "public" && wanted === "unguessable" ? wanted : confirmed };
}

/** What is told of a target beyond local and remote. */
function beyond(
  record: SessionRecord,
  service: ConfigService,
  target: Target,
  server: ServerStatus | undefined,
): Pick<ServiceView, "now" | "waitMs" | "url" | "fallback"> {
  switch (targetKind(target)) {
    case "auto":
      return {
        now: server?.auto?.[service.local] ?? "remote",
        ...(server?.auto_waits?.[service.local] ? { waitMs: server.auto_waits[service.local]! } : {}),
      };
    case "url":
      return { url: target };
    case "named":
      return { url: ownValue(service.targets, target) ?? service.remote };
    case "session": {
      const fallback = ownValue(record.followed?.fallbacks, service.name);
      return {
        ...(fallback ? { fallback } : {}),
        url: `https://${sessionOfTarget(target)}.${record.config.domains[0]!.domain}`,
      };
    }
    default:
      return {};
  }
}

/** Where another session has its copy is known to the Worker alone. */
function healthOf(
  health: HealthBook,
  place: Pick<ServiceView, "target" | "now" | "local" | "remote" | "url" | "fallback">,
  { health: check }: ConfigService,
): HealthResult {
  if (targetKind(place.target) === "session")
    return { health: "unknown", latencyMs: undefined, reason: undefined };
  return health.of({ location: addressOf(place), check });
}

function stateOf(record: SessionRecord): SessionState {
  if (!isDesired(record)) return "stopping";
  if (record.confirmed !== null && isConnected(record)) return "running";
  return problemOfRecord(record) ? "failed" : "starting";
}

/** The problem of a session or its tunnel. */
export function problemOfRecord({ last_error, connector }: SessionRecord): Problem | null {
  return last_error?.problem ?? connector?.problem ?? null;
}

/** The service copies to probe. */
export function probesOf(state: State, server: ServerStatus | undefined): ServiceCopy[] {
  return state.sessions.filter(isDesired).flatMap((record) =>
    record.config.services.flatMap((service): ServiceCopy[] => {
      const target = targetOf(record.confirmed ?? record.targets, service.name);
      if (targetKind(target) === "session") return [];
      const { local, remote, health: check } = service;
      return [
        { location: addressOf({ target, local, remote, ...beyond(record, service, target, server) }), check },
      ];
    }),
  );
}

/** Only URLs of isolated sessions contain the browser port, and only without the standard ports. */
function movedPort(server: ServerStatus | undefined, records: readonly SessionRecord[]): Problem[] {
  if (!server?.missed_port || server.http_port !== server.browser_port) return [];
  const urls = records.filter(({ kind }) => kind === "isolated").flatMap((each) => sessionUrls(each, server));
  if (urls.length === 0) return [];
  const message = text(
    "Port {0}, where the session was before, is used by another program. The session moved to {1}.",
    server.missed_port,
    urls[0]!,
  );
  return [
    problem("port-taken", message, [
      { command: "copyUrl", title: "Copy Session URL", terminal: "linkup status" },
    ]),
  ];
}

function localServerView(state: State, server: ServerStatus | undefined): ComponentView {
  if (server) {
    const detail = text(
      "{0} for browsers, {1} for the tunnel",
      `127.0.0.1:${server.browser_port}`,
      `127.0.0.1:${server.tunnel_port}`,
    );
    return {
      id: "local-server",
      state: "ready",
      pid: server.pid,
      since: server.started,
      ...detailed(detail),
      outdated: false,
    };
  }
  const { problem, started } = state.local_server;
  const needed = state.sessions.some((record) => isDesired(record) && needsLocalServer(record));
  return {
    id: "local-server",
    state: problem ? "failed" : needed ? "starting" : "stopped",
    pid: undefined,
    since: started,
    ...detailed(problem ? textOf(problem) : needed ? undefined : text("no session needs it")),
    outdated: false,
  };
}

/** Where it is installed. */
function localDnsViews({ local_dns: { process, problem, started, ready } }: State): ComponentView[] {
  if (!process && !problem) return [];
  const state = problem ? "failed" : ready ? "ready" : "starting";
  const detail = detailed(problem ? textOf(problem) : undefined);
  return [{ id: "local-dns", state, pid: process?.pid, since: started, ...detail, outdated: false }];
}

/** The cloudflared of a session that has one. */
function tunnelView({ connector, tunnel }: SessionRecord): ComponentView[] {
  if (!connector) return [];
  const { process, ready: isConnected, reached, problem, started, unready_since } = connector;
  const ready = isConnected && reached;
  const progress = isConnected
    ? text("connected, waiting until requests arrive through {0}", tunnel!.url)
    : text("connecting to Cloudflare");
  return [
    {
      id: "tunnel",
      state: ready ? "ready" : problem ? "failed" : "starting",
      pid: process?.pid,
      since: ready ? started : unready_since,
      ...detailed(ready ? verbatim(`cloudflared, ${tunnel!.url}`) : problem ? textOf(problem) : progress),
      outdated: false,
    },
  ];
}

function workerDetail(url: string, worker: SessionRecord["worker"]): Text {
  if (!worker) return verbatim(url);
  if (worker.version === ORIGINAL_WORKER.version) return text("{0}, {1}", url, LACKS);
  return text("{0}, version {1}", url, worker.version);
}

function detailed(detailText: Text | undefined): Pick<ComponentView, "detail" | "detailText"> {
  return detailText ? { detail: formatText(detailText), detailText } : { detail: "" };
}

/** Limitations of a Worker of the existing Linkup. */
const LACKS = text(
  "of the original Linkup. What it lacks:\n  a switched service can take a minute to take effect everywhere, because its store is eventually consistent;\n  it creates no origin secret: anyone who knows the tunnel's URL reaches the local copies;\n  it cannot delete sessions: a stopped one stays until it expires there.",
);

/** One per Worker that a session uses. */
function workerViews(records: readonly SessionRecord[], version: string): ComponentView[] {
  const byUrl = new Map<string, SessionRecord>();
  for (const record of records) {
    if (record.kind !== "isolated") byUrl.set(record.config.linkup.worker_url, record);
  }
  return [...byUrl].map(([url, { worker, worker_hash, last_error, since }]) => {
    // A session may be in trouble for other reasons: its tunnel, say.
    const own = last_error && /^(worker|token)-/.test(last_error.problem.code) ? last_error : undefined;
    return {
      id: "worker",
      state: own ? "failed" : worker_hash ? "ready" : "starting",
      pid: undefined,
      since,
      ...detailed(own ? textOf(own.problem) : workerDetail(url, worker)),
      outdated: worker !== null && isOutdated(worker, version),
    };
  });
}
