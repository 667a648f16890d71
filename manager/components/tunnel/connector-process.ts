/** The process of one cloudflared, and of the writer of its log. */
import { join } from "node:path";
import type { TunnelData } from "../../../core/api/control-api.ts";
import { writeAtomically } from "../../../node/atomic-file.ts";
import { makeFolder } from "../../../node/folder.ts";
import { tunnelLogFile } from "../../../node/log-files.ts";
import type { ProcessId } from "../../../node/process-identity.ts";
import type { Connector } from "../../model/connector.ts";
import { startedAs } from "../../model/supervision.ts";
import { tunnelToken } from "../../model/tunnel-token.ts";
import { childEnv, endProcess, startDetached } from "../../process/child.ts";
import { endLogWriter, type LogWriterOptions, startLogWriter } from "../../process/log-writer-process.ts";
import { sizeOf } from "../../process/logs.ts";
import { findCloudflared } from "./cloudflared-binary.ts";
import type { Way } from "./end-to-end.ts";

/** In-flight requests may take so long when it is asked to end. */
const GRACE = "3s";

/** What one tunnel serves. */
export interface Tunnelled {
  session: string;
  tunnel: TunnelData;
  /** The local server's port for the tunnel. */
  port: number;
  /** A service to send a request to; undefined while none runs on this machine. */
  way: Way | undefined;
}

export interface ConnectorOptions extends LogWriterOptions {
  log(line: string): void;
}

/** `save` is called with every new state, before anything else is done. */
export type Save = (next: Connector) => Promise<unknown>;

/** Its own file: a config of the user's would change what it does. */
export function connectorConfig(home: string, session: string): string {
  return join(home, "tunnels", `${session}.yml`);
}

/** Rejects with a LinkupError where there is no cloudflared. */
export async function startConnector(
  options: ConnectorOptions,
  wanted: Tunnelled,
  before: Connector,
  save: Save,
): Promise<Connector> {
  const { home, env, log } = options;
  const { session, tunnel, port } = wanted;
  const binary = await findCloudflared(env, home);
  const config = connectorConfig(home, session);
  makeFolder(join(home, "tunnels"));
  await writeAtomically(config, `ingress:\n  - service: http://127.0.0.1:${port}\n`);
  const path = tunnelLogFile(home, session);
  const log_offset = await sizeOf(path);
  const writer = await startLogWriter(options, path, secretsOf(tunnel));
  let next = before;
  const writeDown = (id: ProcessId) => {
    const now = Date.now();
    next = {
      ...startedAs(before, id, now),
      log_writer: writer.id,
      log_offset,
      metrics_port: null,
      ready: false,
      unready_since: now,
      was_ready: false,
      // It gets its time before it is judged.
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
        env: childEnv(withoutTunnels(env), { TUNNEL_TOKEN: tunnelToken(tunnel), LINKUP_HOME: home }),
        output: writer.input,
      },
      writeDown,
    );
    log(`Started cloudflared of ${session} (pid ${id.pid}).`);
  } finally {
    // cloudflared has its own hold of it.
    writer.input.destroy();
  }
  return next;
}

/** Ends a cloudflared, and waits until its last line is written. */
export async function endConnector({ process, log_writer }: Connector): Promise<void> {
  if (process) await endProcess(process);
  if (log_writer) await endLogWriter(log_writer);
}

/** The flags of `tunnel` stand before `run`. The token is not among them. */
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

/** What of cloudflared's variables reaches it: how it gets to Cloudflare, and nothing that says which tunnel, or for what. */
const PASSED_ON =
  /^TUNNEL_(EDGE|EDGE_IP_VERSION|EDGE_BIND_ADDRESS|CACERT|TRANSPORT_PROTOCOL|NO_PRECHECKS|REGION|POST_QUANTUM|DNS_RESOLVER_ADDRS)$/;

export function withoutTunnels(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith("TUNNEL_") || PASSED_ON.test(name));
  return Object.fromEntries(kept);
}

/** All that cloudflared knows and its log must not. */
export function secretsOf(tunnel: TunnelData): string[] {
  return [tunnelToken(tunnel), tunnel.secret];
}
