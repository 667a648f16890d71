/** Parses cloudflared's stderr, JSON lines mixed with plain text, for the few facts that matter. Pure and lenient. */

export interface TunnelLog {
  /** Where `/ready` and `/metrics` answer. */
  metricsPort: number | undefined;
  /** Cloudflare refuses the tunnel's token; cloudflared would retry forever. */
  unauthorized: boolean;
  /** The last line that names an error, for the message. */
  lastError: string | undefined;
}

export function readLog(text: string): TunnelLog {
  const log: TunnelLog = { metricsPort: undefined, unauthorized: false, lastError: undefined };
  for (const line of text.split("\n")) {
    const { message, error } = parseLine(line);
    const said = error ? `${message}: ${error}` : message;
    const port = /Starting metrics server on .*:(\d+)\/metrics/.exec(message)?.[1];
    if (port) log.metricsPort = Number(port);
    if (/Register tunnel error from server side/.test(said) && /Unauthorized/i.test(said))
      log.unauthorized = true;
    if (/Registered tunnel connection/.test(message)) log.unauthorized = false;
    if (error || PLAIN_ERROR.test(message)) log.lastError = said;
  }
  return log;
}

const PLAIN_ERROR = /not valid|Incorrect Usage|error|cannot|could(n't| not)|failed|requires/i;

/** A line's message and error. Origin errors have no message, and some lines are not JSON. */
export function parseLine(line: string): { message: string; error: string } {
  try {
    const { message = "", error = "" } = JSON.parse(line) as { message?: unknown; error?: unknown };
    return { message: String(message), error: String(error) };
  } catch {
    return { message: line.trim(), error: "" };
  }
}
