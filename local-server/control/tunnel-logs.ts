/**
 * Writes the output of each cloudflared to its session's log: a connection to the control API, which the manager hands to
 * cloudflared as its output. So that it costs no process; this one outlives windows as cloudflared does, and where it ends,
 * cloudflared is replaced anyway, since its requests go nowhere.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { LOG_SECRETS_HEADER, TUNNEL_LOG_PROTOCOL } from "../../core/api/control-api.ts";
import { isSessionName } from "../../core/session/session-name.ts";
import { tunnelLogFile } from "../../node/log-files.ts";
import { writeLog } from "../../node/log-writer.ts";

/** The rest of an ended process's output arrives within a moment. */
const END_MS = 2_000;

interface OpenLog {
  session: string;
  input: Duplex;
  /** Resolves when all of it is written. */
  written: Promise<void>;
}

export class TunnelLogs {
  readonly #home: string;
  readonly #open = new Set<OpenLog>();

  constructor(home: string) {
    this.#home = home;
  }

  /** Takes over a connection of `POST /v1/tunnel-logs/:name`; any other one is refused. */
  accept(request: IncomingMessage, input: Duplex, head: Buffer): void {
    // A sender that was killed; reading it ends then.
    input.on("error", () => {});
    const [, session = ""] = /^\/v1\/tunnel-logs\/([^/?]+)$/.exec(request.url ?? "") ?? [];
    const secrets = parseSecrets(request.headers[LOG_SECRETS_HEADER]);
    if (request.headers.upgrade !== TUNNEL_LOG_PROTOCOL || !isSessionName(session) || !secrets) {
      input.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    input.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${TUNNEL_LOG_PROTOCOL}\r\n\r\n`,
    );
    if (head.length > 0) input.unshift(head);
    const log: OpenLog = { session, input, written: this.#write(input, session, secrets) };
    this.#open.add(log);
    void log.written.then(() => this.#open.delete(log));
  }

  /** Resolves when what the ended processes of this session wrote is in its log. */
  async end(session: string): Promise<void> {
    const ending = [...this.#open].filter((log) => log.session === session);
    // A descendant that holds the connection open.
    const timer = setTimeout(() => {
      for (const { input } of ending) input.destroy();
    }, END_MS);
    await Promise.all(ending.map(({ written }) => written));
    clearTimeout(timer);
  }

  async #write(input: Duplex, session: string, secrets: readonly string[]): Promise<void> {
    try {
      await writeLog(input, tunnelLogFile(this.#home, session), secrets);
    } catch {
      // The connection broke: what came before is written.
    } finally {
      input.destroy();
    }
  }
}

/** Undefined unless it is well-formed. */
function parseSecrets(header: string | string[] | undefined): string[] | undefined {
  try {
    const secrets: unknown = JSON.parse(Buffer.from(String(header), "base64").toString("utf8"));
    return Array.isArray(secrets) && secrets.every((secret) => typeof secret === "string")
      ? secrets
      : undefined;
  } catch {
    return undefined;
  }
}
