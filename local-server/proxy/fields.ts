import { HOP_BY_HOP } from "../../core/forward.ts";

/**
 * Header lines as they came: names with their case, order and duplicates kept. HTTP allows a reader to fold them,
 * but services and browsers notice, so a proxy that wants to be unseen does not.
 */
export class Fields {
  /** Name, value, name, value… */
  readonly raw: string[];
  /** The names in lower case, one for each line. */
  readonly names: string[];

  constructor(raw: string[]) {
    this.raw = raw;
    this.names = [];
    for (let i = 0; i < raw.length; i += 2) this.names.push(raw[i]!.toLowerCase());
  }

  /** The value; several lines joined by `, `; undefined when there is none. Takes the name in lower case. */
  get(name: string): string | undefined {
    let found: string | undefined;
    for (let at = this.names.indexOf(name); at !== -1; at = this.names.indexOf(name, at + 1)) {
      const value = this.raw[2 * at + 1]!;
      found = found === undefined ? value : `${found}, ${value}`;
    }
    return found;
  }

  has(name: string): boolean {
    return this.names.includes(name);
  }

  /** The lower-case members of a comma-separated list; empty without one. */
  list(name: string): string[] {
    const value = this.get(name);
    if (value === undefined) return [];
    return value
      .split(",")
      .map((member) => member.trim().toLowerCase())
      .filter(Boolean);
  }
}

const NONE: ReadonlySet<string> = new Set();

/**
 * What `Connection` cannot take away: the frame of the message, and what this proxy or the service decides by.
 * Without its length a body would be read as the next request.
 */
const KEPT: ReadonlySet<string> = new Set([
  "authorization",
  "cache-control",
  "content-length",
  "content-type",
  "cookie",
  "host",
  "linkup-destination",
  "linkup-hops",
  "origin",
  "referer",
  "set-cookie",
  "traceparent",
  "tracestate",
  "x-forwarded-host",
]);

/** The header names that `Connection` lists: they end at this hop as well. */
export function connectionNames(fields: Fields): ReadonlySet<string> {
  if (!fields.has("connection")) return NONE;
  return new Set(fields.list("connection").filter((name) => !KEPT.has(name)));
}

/** The lines that go on to the other side: all but those of this connection. */
export function endToEnd(fields: Fields): string[] {
  const hop = connectionNames(fields);
  const headers: string[] = [];
  for (let i = 0; i < fields.names.length; i++) {
    const name = fields.names[i]!;
    if (!HOP_BY_HOP.has(name) && !hop.has(name)) headers.push(fields.raw[2 * i]!, fields.raw[2 * i + 1]!);
  }
  return headers;
}
