/** Header lines as node:http2 gives and takes them. */
import type { OutgoingHttpHeaders, ServerHttp2Stream, ServerStreamResponseOptions } from "node:http2";

/** `respond` takes lines since Node 22.20 and 24.7; with an object it makes another one, and both have all the names. */
const TAKES_LINES = takesLines(process.versions.node);

export function takesLines(node: string): boolean {
  const [major = 0, minor = 0] = node.split(".").map(Number);
  return major > 24 || (major === 24 && minor >= 7) || (major === 22 && minor >= 20);
}

/** Splits name, value, name, value… into the pseudo-headers, which come first, and the header lines. */
export function splitPseudo(raw: string[]): { pseudo: Record<string, string>; headers: string[] } {
  const pseudo: Record<string, string> = {};
  let i = 0;
  for (; i < raw.length && raw[i]!.startsWith(":"); i += 2) pseudo[raw[i]!] = raw[i + 1]!;
  return { pseudo, headers: raw.slice(i) };
}

/** From name, value, name, value… in one or several lists. `http2-settings` belongs to a connection that is upgraded. */
export function http2Fields(...lists: (readonly string[])[]): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = Object.create(null);
  for (const raw of lists)
    for (let i = 0; i < raw.length; i += 2) {
      const name = raw[i]!.toLowerCase();
      if (name === "http2-settings") continue;
      const value = raw[i + 1]!;
      const before = headers[name];
      if (before === undefined) headers[name] = value;
      else if (Array.isArray(before)) before.push(value);
      else headers[name] = [before, value];
    }
  return headers;
}

/**
 * Calls `send` with the headers. When a header that may have a single value has several lines, calls it once more with the
 * first of each: HTTP/1.1 readers take the first, and node:http2 sends no others.
 */
export function sendFields<T>(headers: OutgoingHttpHeaders, send: (headers: OutgoingHttpHeaders) => T): T {
  try {
    return send(headers);
  } catch (error) {
    if (!isSecondValue(error)) throw error;
    return send(firstValues(headers));
  }
}

/** Sends a response's head, of lines as name, value, name, value…, in the same way. */
export function sendHead(
  stream: ServerHttp2Stream,
  status: number,
  lines: readonly string[],
  options: ServerStreamResponseOptions & { sendDate: boolean },
  asLines = TAKES_LINES,
): void {
  try {
    if (asLines) stream.respond([":status", String(status), ...withoutSettings(lines)], options);
    else stream.respond({ ":status": status, ...http2Fields(lines) }, options);
  } catch (error) {
    if (!isSecondValue(error)) throw error;
    stream.respond({ ":status": status, ...firstValues(http2Fields(lines)) }, options);
  }
}

function withoutSettings(lines: readonly string[]): readonly string[] {
  const isSettings = (name: string) => name.length === 14 && name.toLowerCase() === "http2-settings";
  for (let i = 0; i < lines.length; i += 2)
    if (isSettings(lines[i]!)) return lines.filter((_, j) => !isSettings(lines[j & ~1]!));
  return lines;
}

function isSecondValue(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ERR_HTTP2_HEADER_SINGLE_VALUE";
}

function firstValues(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) && name !== "set-cookie" ? value[0] : value,
    ]),
  );
}
