/** Checks who passes the session on: from what passed, and by a request through each service. */
import { request as httpRequest } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { changesNothing, type Exchange } from "../../core/api/request-log-api.ts";
import { type Propagation, propagation } from "../../core/exchange/propagation.ts";
import { MASK } from "../../core/exchange/redact.ts";
import { examplePaths } from "../../core/regex/analysis/example-paths.ts";
import { newTraceparent, traceIdOf } from "../../core/routing/trace-context.ts";
import type { RequestLogClient } from "../components/local-server/control-client.ts";
import { checkRecordedRequests } from "../components/local-server/passed-requests.ts";
import type { SessionRecord } from "../model/state.ts";

/** Of a service, the status that the probe got; null when it could not be asked. */
export interface ProbedService {
  service: string;
  /** `METHOD host/path`; null when nothing leads to it. */
  request: string | null;
  status: number | null;
}

export interface CheckedPropagation extends Propagation {
  /** Null when there was no probe. */
  probed: ProbedService[] | null;
}

const MAX_EXCHANGES = 10_000;
/** How long the Worker may take to hear that its requests are watched. */
const WATCH_MS = 5_000;
/** Isolates remember for a second that nobody watched. */
const ISOLATES_MS = 1_200;
/** How long services may go on calling each other. */
const SETTLE_MS = 1_500;
const TIMEOUT_MS = 10_000;

/** Sends one GET through each service and follows where its trace goes. Changes nothing. */
export async function probePropagation(
  log: RequestLogClient,
  { name, config, kind }: SessionRecord,
  signal?: AbortSignal,
): Promise<CheckedPropagation> {
  const status = await log.status();
  if (name === null || !status) return { ...(await checkRecordedRequests(log)), probed: null };
  const following = new AbortController();
  const watching = Promise.withResolvers<void>();
  const followed = log
    .followRequests(
      { limit: 0 },
      (line) => {
        if ("watch" in line && line.watch.session === name && line.watch.state !== "connecting")
          watching.resolve();
      },
      following.signal,
    )
    .catch(() => {});
  try {
    if (kind === "tunneled") {
      await Promise.race([watching.promise, delay(WATCH_MS, undefined, { signal })]);
      await delay(ISOLATES_MS, undefined, { signal });
    }
    const known = await log.requests({ limit: MAX_EXCHANGES, session: name });
    const probes: { trace: string; from: number }[] = [];
    const probed: ProbedService[] = [];
    // One after the other: what has no trace is told apart by its time.
    for (const { name: service } of config.services) {
      signal?.throwIfAborted();
      const traceparent = newTraceparent();
      probes.push({ trace: traceIdOf(traceparent)!, from: Date.now() });
      const headers = { traceparent };
      const passed = known.findLast((exchange) => canRepeat(exchange, service));
      const answer = passed
        ? await repeated(log, passed, headers)
        : await asked(status.browser_port, addressOf(config.domains, name, service), headers);
      probed.push({ service, ...answer });
    }
    await delay(SETTLE_MS, undefined, { signal });
    const all = await log.requests({ limit: MAX_EXCHANGES });
    const passed = all.flatMap((exchange) => {
      const probe = probes.findLast(({ from }) => from <= exchange.time);
      if (probes.some(({ trace }) => trace === exchange.trace)) return [exchange];
      return probe && isStray(exchange) ? [{ ...exchange, trace: probe.trace }] : [];
    });
    return { ...propagation(passed), probed };
  } finally {
    following.abort();
    await followed;
  }
}

/** A program's request without anything of a session: most likely by what was asked just then. */
function isStray({ session, trace, sender }: Exchange): boolean {
  return session === null && trace === null && sender !== null && !sender.startsWith("a page of ");
}

function canRepeat({ service, method, target, state, status, replay_of }: Exchange, wanted: string): boolean {
  return (
    service === wanted &&
    changesNothing(method) &&
    !target.includes(MASK) &&
    state === "complete" &&
    status !== 101 &&
    replay_of === null
  );
}

type Answer = Omit<ProbedService, "service">;

async function repeated(
  log: RequestLogClient,
  { id, method, client_host, target }: Exchange,
  traceHeaders: Record<string, string>,
): Promise<Answer> {
  const request = `${method} ${client_host}${target.split("?", 1)[0]}`;
  try {
    const { request_headers } = await log.request(id);
    const kept = request_headers.filter(([name]) => !TRACE_HEADERS.has(name.toLowerCase()));
    const headers = [...kept, ...Object.entries(traceHeaders)];
    const edited = { method, target, headers, body: null };
    const { status } = await log.replay(id, { location: null, secrets: false, edited });
    return { request, status };
  } catch {
    return { request, status: null };
  }
}

const TRACE_HEADERS: ReadonlySet<string> = new Set(["traceparent", "tracestate", "baggage"]);

/** The host and path of a request that the session routes to this service. */
function addressOf(
  domains: SessionRecord["config"]["domains"],
  session: string,
  service: string,
): { host: string; path: string } | undefined {
  for (const { domain, default_service, routes } of domains) {
    const host = `${session}.${domain}`;
    const route = routes?.find((route) => route.service === service);
    const [path] = route ? examplePaths(route.path, 1) : [];
    if (path !== undefined) return { host, path };
    if (default_service === service) return { host, path: "/" };
  }
  return undefined;
}

function asked(
  port: number,
  address: { host: string; path: string } | undefined,
  headers: Record<string, string>,
): Promise<Answer> {
  if (!address) return Promise.resolve({ request: null, status: null });
  const { host, path } = address;
  const request = `GET ${host}${path}`;
  return new Promise((resolve) => {
    const options = { host: "127.0.0.1", port, path, headers: { host, ...headers }, agent: false };
    const sent = httpRequest({ ...options, timeout: TIMEOUT_MS }, (response) => {
      response.resume();
      response.on("close", () => resolve({ request, status: response.statusCode ?? null }));
    });
    sent.on("timeout", () => sent.destroy());
    sent.on("error", () => resolve({ request, status: null }));
    sent.end();
  });
}
