/** Header lines as node:http2 gives and takes them. */
import type { OutgoingHttpHeaders } from "node:http2";

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
