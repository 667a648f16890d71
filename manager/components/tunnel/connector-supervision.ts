/** Supervises cloudflared, which carries a session's requests from Cloudflare's edge to the local server. */

import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type Text, text } from "../../../core/text.ts";
import { readStatus } from "../../../node/http.ts";
import { tunnelLogFile } from "../../../node/log-files.ts";
import { redacted } from "../../../node/log-writer.ts";
import { isRunning } from "../../../node/process-identity.ts";
import { type Connector, newConnector } from "../../model/connector.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { backoffMs, failed, isDue, markHealthy } from "../../model/supervision.ts";
import { findCloudflared } from "./cloudflared-binary.ts";
import {
  type ConnectorOptions,
  type ConnectorTarget,
  cloudflaredVersion,
  endConnector,
  endOf,
  forgetConnector,
  NEEDED_VERSION,
  type SaveConnector,
  startConnector,
  tunnelSecrets,
} from "./connector-process.ts";
import { type ProbeTarget, probeTunnel } from "./end-to-end.ts";
import { readLog, recentErrors, unknownFlag } from "./log-lines.ts";
import { isProbeDue, nextAction } from "./watch.ts";

const READY_TIMEOUT_MS = 2_000;
/** Pauses after the second refusal and later ones: 2 s, 4 s … */
const FIRST_REFUSAL_MS = 2_000;
const LONGEST_REFUSAL_MS = 60_000;

/**
 * One look at a session's cloudflared: starts, watches or replaces it, and never waits for it to be ready.
 * Returns what is known now. Rejects with a LinkupError when cloudflared is not found.
 */
export async function stepConnector(
  options: ConnectorOptions,
  wanted: ConnectorTarget,
  before: Connector,
  save: SaveConnector,
): Promise<Connector> {
  const serves = JSON.stringify([wanted.tunnel.id, wanted.tunnel.url, wanted.port]);
  let connector = before;
  if (connector.process && connector.serves !== serves) {
    await endConnector(options.tunnelLogs, wanted.session, connector);
    const { refusals, refused } = connector;
    connector = { ...newConnector(), refusals, refused };
    await save(connector);
  }
  if (connector.process) connector = await watch(options, wanted, connector, save);
  if (connector.process || !isDue(connector, Date.now())) return connector;
  return startConnector(
    options,
    wanted,
    { ...connector, serves, protocol: protocolOf(options.env, wanted) },
    save,
  );
}

function protocolOf(env: NodeJS.ProcessEnv, { udpBlocked }: ConnectorTarget): Connector["protocol"] {
  return isGiven(env) ? "given" : udpBlocked ? "http2" : "auto";
}

/** The user has chosen a protocol. */
function isGiven({ TUNNEL_TRANSPORT_PROTOCOL: protocol }: NodeJS.ProcessEnv): boolean {
  return protocol !== undefined && protocol !== "" && protocol !== "auto";
}

async function watch(
  options: ConnectorOptions,
  wanted: ConnectorTarget,
  before: Connector,
  save: SaveConnector,
): Promise<Connector> {
  const path = tunnelLogFile(options.home, wanted.session);
  if (!(await isRunning(before.process!)))
    return fail(options, wanted, before, await howItEnded(options, wanted, before), save);

  let { metrics_port } = before;
  let ready = metrics_port !== null && (await isReady(metrics_port));
  if (!ready) {
    const log = readLog(await newLines(path, before.log_offset));
    if (log.unauthorized) return refused(options, wanted, before, save);
    if (metrics_port === null && log.metricsPort !== undefined) {
      metrics_port = log.metricsPort;
      ready = await isReady(metrics_port);
    }
  }

  const now = Date.now();
  const probed = ready ? await withProbe(wanted.probe, before, now) : before;
  const action = nextAction(probed, ready, now);
  if (action.do === "nothing") return keep(before, { ...probed, ready, metrics_port }, now, save);
  await endConnector(options.tunnelLogs, wanted.session, before);
  if (action.do === "fail") return fail(options, wanted, before, action.why, save);
  options.log(`cloudflared of ${wanted.session}: ${action.why}.`);
  return startConnector(options, wanted, { ...before, protocol: action.protocol }, save);
}

/** Sends an end-to-end probe when one is due. */
async function withProbe(
  probe: ProbeTarget | undefined,
  connector: Connector,
  now: number,
): Promise<Connector> {
  // Without a service on this machine no request uses the tunnel.
  if (!probe) return { ...connector, reached: true };
  if (!isProbeDue(connector, now)) return connector;
  const result = await probeTunnel(probe);
  const lost = result === "lost" ? connector.lost + 1 : 0;
  // What cannot be probed is taken for reached: nothing better will be known.
  return { ...connector, probed_at: now, lost, reached: connector.reached || result !== "lost" };
}

async function keep(
  before: Connector,
  seen: Connector,
  now: number,
  save: SaveConnector,
): Promise<Connector> {
  const { ready } = seen;
  const next: Connector = {
    ...(ready ? { ...markHealthy(seen, now), refusals: 0, refused: null } : seen),
    was_ready: before.was_ready || ready,
    // Counts from the moment at which readiness was lost.
    unready_since: before.ready && !ready ? now : before.unready_since,
  };
  if (JSON.stringify(next) !== JSON.stringify(before)) await save(next);
  return next;
}

export async function stopConnector(
  { home, tunnelLogs }: Pick<ConnectorOptions, "home" | "tunnelLogs">,
  session: string,
  connector: Connector,
): Promise<void> {
  await endConnector(tunnelLogs, session, connector);
  await forgetConnector(home, session);
}

async function fail(
  options: ConnectorOptions,
  { session, tunnel }: ConnectorTarget,
  before: Connector,
  why: Text,
  save: SaveConnector,
): Promise<Connector> {
  const path = tunnelLogFile(options.home, session);
  await options.tunnelLogs.endTunnelLog(session);
  const log = redacted(await newLines(path, before.log_offset), tunnelSecrets(tunnel));
  const errors = recentErrors(log);
  const flag = unknownFlag(log);
  const found = flag
    ? await outdated(options, flag)
    : problem(
        "tunnel-failed",
        errors.length > 0
          ? text("cloudflared does not serve the tunnel. {0}. It said: {1}.", why, errors.join("; "))
          : text("cloudflared does not serve the tunnel. {0}.", why),
        [{ command: "showLogs", title: "Show Logs", terminal: "linkup logs tunnel" }],
      );
  options.log(found.message);
  const next: Connector = {
    ...failed(before, found, Date.now(), "unlimited"),
    metrics_port: null,
    ready: false,
    was_ready: false,
  };
  await save(next);
  return next;
}

async function howItEnded(
  { home }: ConnectorOptions,
  { session }: ConnectorTarget,
  { process }: Connector,
): Promise<Text> {
  const end = process ? await endOf(home, session, process) : undefined;
  if (end === undefined) return text("The process ended");
  return end.startsWith("exit code")
    ? text("The process ended with {0}", end)
    : text("The process was ended by {0}", end);
}

async function outdated({ env, home }: ConnectorOptions, flag: string): Promise<Problem> {
  const binary = await findCloudflared(env, home);
  const version = (await cloudflaredVersion(binary)) ?? "?";
  return problem(
    "tunnel-failed",
    text(
      "{0} is too old: it has version {1} and does not know --{2} (Incorrect Usage). Linkup needs cloudflared {3} or later.",
      binary,
      version,
      flag,
      NEEDED_VERSION,
    ),
    [{ command: "installCloudflared", title: "Install cloudflared", terminal: "linkup cloudflared install" }],
  );
}

/** From this many refusals in a row an administrator has to look. */
const LASTING_REFUSALS = 3;

/**
 * Only the Worker can tell what is wrong and issue a new tunnel: it is told with the next registration. The first refusal
 * is repeated as soon as it has answered, later ones with growing pauses.
 */
async function refused(
  { tunnelLogs, log }: ConnectorOptions,
  { session, tunnel }: ConnectorTarget,
  before: Connector,
  save: SaveConnector,
): Promise<Connector> {
  await endConnector(tunnelLogs, session, before);
  const refusals = before.refusals + 1;
  const found = problem(
    "tunnel-refused",
    refusals < LASTING_REFUSALS
      ? text(
          "Cloudflare refuses the tunnel {0}: it was deleted, or its secret changed. The Worker replaces it.",
          tunnel.name,
        )
      : text(
          "Cloudflare has refused the tunnel {0} {1} times in a row. An administrator should check at Cloudflare that tunnels of this name are not deleted by another program, that the account is active and below its limit of tunnels, and that the Worker and its CLOUDFLARE_API_TOKEN use the account {2}.",
          tunnel.name,
          refusals,
          tunnel.account_id,
        ),
    [{ command: "showLogs", title: "Show Logs", terminal: "linkup logs tunnel" }],
  );
  log(found.message);
  const now = Date.now();
  const wait = refusals === 1 ? 0 : backoffMs(refusals - 1, FIRST_REFUSAL_MS, LONGEST_REFUSAL_MS);
  const next: Connector = {
    ...newConnector(),
    refusals,
    refused: tunnel.id,
    retry_at: now + wait,
    problem: refusals === 1 ? null : found,
  };
  await save(next);
  return next;
}

/** Tells whether a step would find something new, at less cost than a step. */
export class ConnectorWatch {
  readonly connector: Connector;
  readonly #isProbed: boolean;
  readonly #log: string;
  #logged: number;

  /** After a step. `isProbed`: requests use the tunnel; without them there are no end-to-end probes. */
  constructor(connector: Connector, log: string, isProbed: boolean) {
    this.connector = connector;
    this.#isProbed = isProbed;
    this.#log = log;
    this.#logged = sizeNow(log);
  }

  /**
   * True while no probe is due and it is connected. It logs each connection that it loses: only where it has logged something
   * is it asked.
   */
  async isSteady(): Promise<boolean> {
    const { metrics_port } = this.connector;
    if (metrics_port === null || (this.#isProbed && isProbeDue(this.connector, Date.now()))) return false;
    const logged = sizeNow(this.#log);
    if (logged === this.#logged) return true;
    this.#logged = logged;
    return isReady(metrics_port);
  }
}

/** Without waking another thread; zero when there is no such file. */
function sizeNow(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** False too where nothing answers, or not in time. */
async function isReady(port: number): Promise<boolean> {
  const ready = readStatus(`http://127.0.0.1:${port}/ready`, { timeoutMs: READY_TIMEOUT_MS });
  return (await ready.catch(() => undefined)) === 200;
}

async function newLines(path: string, offset: number): Promise<string> {
  try {
    const log = await readFile(path);
    // A file that shrank was rotated.
    return log.subarray(offset > log.length ? 0 : offset).toString("utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return "";
  }
}
