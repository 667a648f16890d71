/** Starts and ends a cloudflared process. */
import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { TunnelData } from "../../../core/api/worker-api.ts";
import { writeAtomically } from "../../../node/atomic-file.ts";
import { makeFolder } from "../../../node/folder.ts";
import { logFolder, tunnelLogFile } from "../../../node/log-files.ts";
import type { ProcessId } from "../../../node/process-identity.ts";
import type { Connector } from "../../model/connector.ts";
import { markStarted } from "../../model/supervision.ts";
import { tunnelToken } from "../../model/tunnel-token.ts";
import { childEnv, endProcess, startDetached } from "../../process/child.ts";
import { sizeOf } from "../../process/log-tender.ts";
import type { ControlClient } from "../local-server/control-client.ts";
import { findCloudflared } from "./cloudflared-binary.ts";
import type { ProbeTarget } from "./end-to-end.ts";

const VERSION_TIMEOUT_MS = 5_000;
/** The first release with `--output json` for `tunnel`. */
export const NEEDED_VERSION = "2025.6.1";

/** Grace period for in-flight requests at shutdown. */
const GRACE = "3s";

/** What one tunnel serves. */
export interface ConnectorTarget {
  session: string;
  tunnel: TunnelData;
  /** The local server's port for the tunnel. */
  port: number;
  /** QUIC does not get through in this network. */
  udpBlocked: boolean;
  /** Where to send the end-to-end probe; undefined while no service runs on this machine. */
  probe: ProbeTarget | undefined;
}

export interface ConnectorOptions {
  home: string;
  env: NodeJS.ProcessEnv;
  /** The local server, which writes the log of each cloudflared. */
  tunnelLogs: TunnelLogClient;
  log(line: string): void;
}

export type TunnelLogClient = Pick<ControlClient, "openTunnelLog" | "endTunnelLog">;

/** Persists a connector's new state; called before anything else is done. */
export type SaveConnector = (next: Connector) => Promise<unknown>;

/** Where the process that started cloudflared writes how it ended: only a parent learns that of its child. */
function endFile(home: string, session: string): string {
  return join(home, "tunnels", `${session}.end`);
}

/** How long another process may take to write it. */
const END_FILE_MS = 300;

/** `exit code 1` or a signal's name; undefined when the process that started it has ended before it. */
export async function endOf(home: string, session: string, { pid }: ProcessId): Promise<string | undefined> {
  for (const until = performance.now() + END_FILE_MS; ; await delay(20)) {
    const [ofPid, ended] = (await readFile(endFile(home, session), "utf8").catch(() => "")).split("\n");
    if (ofPid === String(pid)) return ended;
    if (performance.now() > until) return undefined;
  }
}

/** What `cloudflared --version` says: `2022.3.1`; undefined when it says nothing of the kind. */
export async function cloudflaredVersion(binary: string): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile(binary, ["--version"], { timeout: VERSION_TIMEOUT_MS }, (_error, stdout) => resolve(stdout));
  return /\bversion (\d+\.\d+\.\d+)/.exec(await promise)?.[1];
}

/** A config file of our own, so that the user's is not read. */
export function connectorConfig(home: string, session: string): string {
  return join(home, "tunnels", `${session}.yml`);
}

/** Removes what was written for a session's cloudflared. */
export async function forgetConnector(home: string, session: string): Promise<void> {
  for (const file of [connectorConfig(home, session), endFile(home, session)])
    await rm(file, { force: true });
}

/** Starts none while no local server runs. Rejects with a LinkupError when cloudflared is not found. */
export async function startConnector(
  options: ConnectorOptions,
  wanted: ConnectorTarget,
  before: Connector,
  save: SaveConnector,
): Promise<Connector> {
  const { home, env, tunnelLogs, log } = options;
  const { session, tunnel, port } = wanted;
  const binary = await findCloudflared(env, home);
  const config = connectorConfig(home, session);
  makeFolder(join(home, "tunnels"));
  await writeAtomically(config, `ingress:\n  - service: http://127.0.0.1:${port}\n`);
  const path = tunnelLogFile(home, session);
  const log_offset = await sizeOf(path);
  makeFolder(logFolder(home));
  const output = await tunnelLogs.openTunnelLog(session, tunnelSecrets(tunnel));
  // The local server has ended: what starts it again comes back here.
  if (!output) return before;
  let next = before;
  const writeDown = (id: ProcessId) => {
    const now = Date.now();
    next = {
      ...markStarted(before, id, now),
      log_offset,
      metrics_port: null,
      ready: false,
      unready_since: now,
      was_ready: false,
      // The first probe waits for a full interval.
      probed_at: now,
      lost: 0,
    };
    return save(next);
  };
  try {
    const { id } = await startDetached(
      binary,
      connectorArguments(before.protocol, config),
      {
        cwd: home,
        env: childEnv(connectorEnv(env), { TUNNEL_TOKEN: tunnelToken(tunnel), LINKUP_HOME: home }),
        output,
        onEnd(ended, pid) {
          // Nothing depends on it but a message.
          writeFile(endFile(home, session), `${pid}\n${ended}\n`, { mode: 0o600 }).catch(() => {});
        },
      },
      writeDown,
    );
    log(`Started cloudflared of ${session} (pid ${id.pid}).`);
  } finally {
    // cloudflared holds a duplicate of the descriptor.
    output.destroy();
  }
  return next;
}

/** Ends a cloudflared process, and waits until its last line is logged. */
export async function endConnector(
  tunnelLogs: TunnelLogClient,
  session: string,
  { process }: Connector,
): Promise<void> {
  if (!process) return;
  await endProcess(process);
  await tunnelLogs.endTunnelLog(session);
}

/** The flags of `tunnel` precede `run`. The token is never an argument. */
export function connectorArguments(protocol: Connector["protocol"], config: string): string[] {
  return [
    "tunnel",
    "--no-autoupdate",
    ...["--output", "json"],
    ...["--loglevel", "info"],
    ...["--metrics", "127.0.0.1:0"],
    ...["--grace-period", GRACE],
    ...["--retries", "0"],
    ...["--config", config],
    ...(protocol === "http2" ? ["--protocol", "http2"] : []),
    "run",
  ];
}

/** Environment variables that are passed on to cloudflared: how to reach Cloudflare, but not which tunnel to run. */
const PASSED_ON =
  /^TUNNEL_(EDGE|EDGE_IP_VERSION|EDGE_BIND_ADDRESS|CACERT|TRANSPORT_PROTOCOL|NO_PRECHECKS|REGION|POST_QUANTUM|DNS_RESOLVER_ADDRS)$/;

export function connectorEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith("TUNNEL_") || PASSED_ON.test(name));
  return Object.fromEntries(kept);
}

/** Secrets that cloudflared knows and its log must not contain. */
export function tunnelSecrets(tunnel: TunnelData): string[] {
  return [tunnelToken(tunnel), tunnel.secret];
}
