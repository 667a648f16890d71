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

/** Errors that are older than this before the last line have other causes. */
const RECENT_MS = 10_000;
const MAX_RECENT = 3;
const MAX_ERROR_LENGTH = 300;

/** The errors of the last seconds, each once and in few words, the oldest first. */
export function recentErrors(text: string): string[] {
  const lines = text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => ({ ...parseLine(line), at: timeOf(line) }));
  const last = lines.findLast(({ at }) => at !== undefined)?.at;
  let at: number | undefined;
  const errors = new Set<string>();
  for (const line of lines) {
    // Plain lines have no time: they belong to the line before.
    at = line.at ?? at;
    const { message, error } = line;
    if (!error && !PLAIN_ERROR.test(message)) continue;
    if (last !== undefined && at !== undefined && last - at > RECENT_MS) continue;
    const said = [message, error].filter((part) => part !== "").join(": ");
    const short = said.slice(0, MAX_ERROR_LENGTH).replace(/[.\s]+$/, "");
    // Said again: it moves to the end.
    errors.delete(short);
    errors.add(short);
  }
  return [...errors].slice(-MAX_RECENT);
}

/** Of a JSON line, or of a plain one that begins with its time. Milliseconds since the epoch. */
function timeOf(line: string): number | undefined {
  const time = /"time":"([^"]+)"/.exec(line)?.[1] ?? /^\d{4}-\d\d-\d\dT\S+/.exec(line)?.[0];
  return time === undefined ? undefined : Date.parse(time) || undefined;
}

/** The flag that this cloudflared does not know: it is too old. */
export function unknownFlag(text: string): string | undefined {
  return /flag provided but not defined: -+(\S+)/.exec(text)?.[1];
}

/** A line's message and error. Origin errors have no message, and some lines are not JSON. */
export function parseLine(line: string): { message: string; error: string } {
  try {
    const { message = "", error = "" } = JSON.parse(line) as { message?: unknown; error?: unknown };
    return { message: String(message), error: typeof error === "string" ? error : JSON.stringify(error) };
  } catch {
    return { message: line.trim(), error: "" };
  }
}
