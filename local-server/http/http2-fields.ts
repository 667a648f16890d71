/** Header lines as node:http2 gives and takes them. */
import type { OutgoingHttpHeaders } from "node:http2";

/** Splits name, value, name, value… into the pseudo-headers, which come first, and the header lines. */
export function splitPseudo(raw: string[]): { pseudo: Record<string, string>; headers: string[] } {
  const pseudo: Record<string, string> = {};
  let i = 0;
  for (; i < raw.length && raw[i]!.startsWith(":"); i += 2) pseudo[raw[i]!] = raw[i + 1]!;
  return { pseudo, headers: raw.slice(i) };
}

type Names = Record<string, string | string[] | number>;

/** Makes an object without inherited names, as `Object.create(null)` does, but not one that V8 keeps as a hash table from the start. */
function BareObject(): void {}
BareObject.prototype = Object.create(null);
const Names = BareObject as unknown as new () => Names;

/** From name, value, name, value… in one or several lists. `http2-settings` belongs to a connection that is upgraded. */
export function http2Fields(...lists: (readonly string[])[]): OutgoingHttpHeaders {
  const headers = new Names();
  for (const raw of lists) addLines(headers, raw);
  return headers;
}

/** The head of a response. */
export function http2Response(status: number, raw: readonly string[]): OutgoingHttpHeaders {
  const headers = new Names();
  headers[":status"] = status;
  addLines(headers, raw);
  return headers;
}

function addLines(headers: Names, raw: readonly string[]): void {
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (name === "http2-settings") continue;
    const value = raw[i + 1]!;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else headers[name] = [before as string, value];
  }
}

/**
 * Calls `send` with the headers. When a header that may have a single value has several lines, calls it once more with the
 * first of each: HTTP/1.1 readers take the first, and node:http2 sends no others.
 */
export function sendFields<T>(headers: OutgoingHttpHeaders, send: (headers: OutgoingHttpHeaders) => T): T {
  try {
    return send(headers);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_HTTP2_HEADER_SINGLE_VALUE") throw error;
    return send(firstValues(headers));
  }
}

function firstValues(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) && name !== "set-cookie" ? value[0] : value,
    ]),
  );
}
