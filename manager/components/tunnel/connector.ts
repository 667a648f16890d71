/** Supervises cloudflared, which carries a session's requests from Cloudflare's edge to the local server. */

import { readFile, rm } from "node:fs/promises";
import { type Text, text } from "../../../core/text.ts";
import { readStatus } from "../../../node/http.ts";
import { tunnelLogFile } from "../../../node/log-files.ts";
import { isRunning } from "../../../node/process-identity.ts";
import { type Connector, newConnector } from "../../model/connector.ts";
import { LinkupError, problem } from "../../model/problem.ts";
import { failed, isDue, isWell } from "../../model/supervision.ts";
import { lastLines } from "../../process/child.ts";
import { endLogWriter } from "../../process/log-writer-process.ts";
import { redacted } from "../../process/logs.ts";
import {
  type ConnectorOptions,
  type ConnectorTarget,
  connectorConfig,
  endConnector,
  type SaveConnector,
  secretsOf,
  startConnector,
} from "./connector-process.ts";
import { type ProbeTarget, probeTunnel } from "./end-to-end.ts";
import { readLog, type TunnelLog } from "./log-lines.ts";
import { isProbeDue, nextAction } from "./watch.ts";

const READY_TIMEOUT_MS = 2_000;

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
    await endConnector(connector);
    connector = { ...newConnector(), protocol: connector.protocol };
    await save(connector);
  }
  if (connector.process) connector = await watch(options, wanted, connector, save);
  if (connector.process || !isDue(connector, Date.now())) return connector;
  return startConnector(
    options,
    wanted,
    { ...connector, serves, protocol: protocolOf(options.env, connector) },
    save,
  );
}

function protocolOf(env: NodeJS.ProcessEnv, { protocol }: Connector): Connector["protocol"] {
  return isGiven(env) ? "given" : protocol === "given" ? "auto" : protocol;
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
    return fail(options, wanted, before, text("The process ended"), save);
  if (before.log_writer && !(await isRunning(before.log_writer))) {
    // Without its log writer cloudflared would die at its next line (EPIPE).
    await endConnector(before);
    return startConnector(options, wanted, before, save);
  }

  let { metrics_port } = before;
  let ready = metrics_port !== null && (await isReady(metrics_port));
  if (!ready) {
    const log = await readNewLines(path, before.log_offset);
    if (log.unauthorized) throw await refused(before, save);
    if (metrics_port === null && log.metricsPort !== undefined) {
      metrics_port = log.metricsPort;
      ready = await isReady(metrics_port);
    }
  }

  const now = Date.now();
  const probed = ready ? await withProbe(wanted.probe, before, now) : before;
  const action = nextAction(probed, ready, now);
  if (action.do === "nothing") return keep(before, { ...probed, ready, metrics_port }, now, save);
  await endConnector(before);
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
  if (!probe || !isProbeDue(connector, now)) return connector;
  const result = await probeTunnel(probe);
  return { ...connector, probed_at: now, lost: result === "lost" ? connector.lost + 1 : 0 };
}

async function keep(
  before: Connector,
  seen: Connector,
  now: number,
  save: SaveConnector,
): Promise<Connector> {
  const { ready } = seen;
  const next: Connector = {
    ...(ready ? isWell(seen, now) : seen),
    was_ready: before.was_ready || ready,
    // Counts from the moment at which readiness was lost.
    unready_since: before.ready && !ready ? now : before.unready_since,
  };
  if (JSON.stringify(next) !== JSON.stringify(before)) await save(next);
  return next;
}

export async function stopConnector(home: string, session: string, connector: Connector): Promise<void> {
  await endConnector(connector);
  await rm(connectorConfig(home, session), { force: true });
}

async function fail(
  options: ConnectorOptions,
  { session, tunnel }: ConnectorTarget,
  before: Connector,
  why: Text,
  save: SaveConnector,
): Promise<Connector> {
  const path = tunnelLogFile(options.home, session);
  if (before.log_writer) await endLogWriter(before.log_writer);
  const { lastError } = await readNewLines(path, before.log_offset);
  const lines = await lastLines(path);
  const secrets = secretsOf(tunnel);
  const said = lastError
    ? text("cloudflared does not serve the tunnel. {0}: {1}.", why, redacted(lastError, secrets))
    : text("cloudflared does not serve the tunnel. {0}.", why);
  const found = problem(
    "tunnel-failed",
    lines ? text("{0} Its last lines:\n{1}", said, redacted(lines, secrets)) : said,
    [{ command: "showLogs", title: "Show Logs", terminal: "linkup logs tunnel" }],
  );
  options.log(found.message);
  const next: Connector = {
    ...failed(before, found, Date.now(), "unlimited"),
    log_writer: null,
    metrics_port: null,
    ready: false,
    was_ready: false,
  };
  await save(next);
  return next;
}

/** Only the Worker can issue a new token. */
async function refused(before: Connector, save: SaveConnector): Promise<LinkupError> {
  await endConnector(before);
  await save({ ...newConnector(), protocol: before.protocol });
  return new LinkupError(
    "tunnel-refused",
    text(
      "Cloudflare refuses the tunnel's token: the tunnel was deleted, or another one has its name. Asking the Worker for a new one.",
    ),
  );
}

/** False too where nothing answers, or not in time. */
async function isReady(port: number): Promise<boolean> {
  const ready = readStatus(`http://127.0.0.1:${port}/ready`, { timeoutMs: READY_TIMEOUT_MS });
  return (await ready.catch(() => undefined)) === 200;
}

async function readNewLines(path: string, offset: number): Promise<TunnelLog> {
  try {
    const log = await readFile(path);
    // A file that shrank was rotated.
    return readLog(log.subarray(offset > log.length ? 0 : offset).toString("utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return readLog("");
  }
}
