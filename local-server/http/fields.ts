/** Header fields. */
import { HOP_BY_HOP } from "../../core/routing/proxy-headers.ts";
import { flatten } from "../node-internals.ts";

/**
 * Header lines as they came: names with their case, order and duplicates kept. HTTP allows a reader to combine them,
 * but services and browsers notice, so a transparent proxy does not.
 */
export class Fields {
  /** Name, value, name, value… */
  readonly raw: readonly string[];
  /** The names in lower case, one for each line. */
  readonly names: readonly string[];
  readonly derived: DerivedLines;
  #fingerprint: number | undefined;

  /** `like`: lines of the same names, of which all that is derived is right for these as well. */
  constructor(raw: readonly string[], like?: Fields) {
    this.raw = raw;
    if (like) {
      this.names = like.names;
      this.derived = like.derived;
      return;
    }
    const names: string[] = [];
    for (let i = 0; i < raw.length; i += 2) names.push(raw[i]!.toLowerCase());
    this.names = names;
    this.derived = { forService: undefined, logged: undefined };
  }

  /** The value; several lines joined by `, `; undefined without such a field. Takes the name in lower case. */
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
    if (!value.includes(",")) {
      const member = trimSpaces(value).toLowerCase();
      return member === "" ? [] : [member];
    }
    return value
      .split(",")
      .map((member) => trimSpaces(member).toLowerCase())
      .filter(Boolean);
  }

  /** Equal for equal lines. */
  get fingerprint(): number {
    this.#fingerprint ??= fingerprint(this.raw);
    return this.#fingerprint;
  }

  equals(other: Fields): boolean {
    return (
      this === other ||
      (this.fingerprint === other.fingerprint && difference(this.raw, other.raw) === NOWHERE)
    );
  }
}

/**
 * What was last made of a request's lines, shared by all that differ in the value of `traceparent` alone. The makers know what it
 * depends on.
 */
interface DerivedLines {
  forService: unknown;
  /** Where the access log has them. */
  logged: unknown;
}

/** Lines of a request, serialised at most once. One of them, the trace's, may have another value each time. */
export class HeaderLines {
  readonly #raw: readonly string[];
  /** Where that value is. */
  readonly #varies: number | undefined;
  #before: string | undefined;
  #behind = "";

  /** `raw`: name, value, name, value…; `varies`: the index of the value that varies. */
  constructor(raw: readonly string[], varies?: number) {
    this.#raw = raw;
    this.#varies = varies;
  }

  /** Name, value, name, value… */
  raw(varying: string | undefined): readonly string[] {
    if (this.#varies === undefined || varying === undefined) return this.#raw;
    return this.#raw.with(this.#varies, varying);
  }

  /** As HTTP/1 writes them, each with its line break. */
  http1(varying: string | undefined): string {
    this.#before ??= this.#serialise();
    return this.#varies === undefined ? this.#before : this.#before + varying + this.#behind;
  }

  #serialise(): string {
    const raw = this.#raw;
    const at = this.#varies;
    if (at === undefined) return flatten(http1Lines(raw));
    this.#behind = flatten(`\r\n${http1Lines(raw.slice(at + 1))}`);
    return flatten(`${http1Lines(raw.slice(0, at - 1))}${raw[at - 1]}: `);
  }
}

/** `name: value` with a line break for each pair. */
export function http1Lines(raw: readonly string[]): string {
  let text = "";
  for (let i = 0; i < raw.length; i += 2) text += `${raw[i]}: ${raw[i + 1]}\r\n`;
  return text;
}

/** Slots of a connection's intern table, and the longest values (in characters, together) worth interning. */
const SLOTS = 8;
const MAX_INTERNED = 8_192;

/**
 * Interns the header fields of one client connection: a browser sends nearly the same ones with each request, so what is
 * derived from them is derived once (measured: 4 % of a request). Bound to the connection, because it holds cookies and
 * tokens, which must not outlive it.
 */
export class FieldsCache {
  readonly #slots: (Fields | undefined)[] = [];

  /** The same object for the same lines. */
  intern(raw: readonly string[]): Fields {
    const slot = fingerprint(raw) & (SLOTS - 1);
    const known = this.#slots[slot];
    const differs = known ? difference(known.raw, raw) : MUCH;
    if (differs === NOWHERE) return known!;
    // What traces has another one in each request.
    if (differs !== MUCH && raw[differs - 1]!.toLowerCase() === "traceparent") return new Fields(raw, known);
    const fields = new Fields(raw);
    let length = 0;
    for (let i = 1; i < raw.length; i += 2) length += raw[i]!.length;
    if (length <= MAX_INTERNED) this.#slots[slot] = fields;
    return fields;
  }
}

/** Depends on the number of lines and the lengths of their values only: computing it costs less than one comparison. */
function fingerprint(raw: readonly string[]): number {
  let hash = raw.length;
  for (let i = 1; i < raw.length; i += 2) hash = (hash * 31 + raw[i]!.length) | 0;
  return hash ^ (hash >>> 8);
}

const NOWHERE = -1;
const MUCH = -2;

/** The index of the only value that differs; NOWHERE, or MUCH where more does. */
function difference(one: readonly string[], other: readonly string[]): number {
  if (one.length !== other.length) return MUCH;
  let found = NOWHERE;
  for (let i = 0; i < one.length; i++) {
    if (one[i] === other[i]) continue;
    if (found !== NOWHERE || i % 2 === 0) return MUCH;
    found = i;
  }
  return found;
}

/** Without spaces and tabs around it. `trim` would take away bare line ends, and the last byte of an "à" in UTF-8. */
export function trimSpaces(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isSpace(value.charCodeAt(start))) start++;
  while (end > start && isSpace(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

/** True for what HTTP/1.1 may carry as a value. */
export function isFieldValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

export function isSpace(code: number): boolean {
  return code === 32 || code === 9;
}

const NONE: ReadonlySet<string> = new Set();

/**
 * Headers that a client cannot have removed by naming them in `Connection`: those that frame the message, and those that
 * the proxy or the service decides by. A body without its length would be read as the next request.
 */
const NEVER_HOP_BY_HOP: ReadonlySet<string> = new Set([
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

/** The header names that `Connection` lists: hop-by-hop as well, besides those that always are. */
export function connectionNames(fields: Fields): ReadonlySet<string> {
  if (!fields.has("connection")) return NONE;
  const names = fields
    .list("connection")
    .filter((name) => !NEVER_HOP_BY_HOP.has(name) && !HOP_BY_HOP.has(name));
  return names.length === 0 ? NONE : new Set(names);
}

/** The end-to-end lines: all but the hop-by-hop ones. */
export function endToEnd(fields: Fields): string[] {
  return new ChangedFields(fields).raw;
}

/** End-to-end lines on their way to the other side, to be changed. Names are given in lower case. */
export class ChangedFields {
  /** Name, value, name, value… */
  readonly raw: string[] = [];
  readonly #names: string[] = [];

  constructor(fields: Fields) {
    const hopByHop = connectionNames(fields);
    for (let i = 0; i < fields.names.length; i++) {
      const name = fields.names[i]!;
      if (HOP_BY_HOP.has(name) || hopByHop.has(name)) continue;
      this.#names.push(name);
      this.raw.push(fields.raw[2 * i]!, fields.raw[2 * i + 1]!);
    }
  }

  /** The value; several lines joined by `, `. */
  get(lower: string): string | undefined {
    let found: string | undefined;
    for (let at = this.#names.indexOf(lower); at !== -1; at = this.#names.indexOf(lower, at + 1)) {
      const value = this.raw[2 * at + 1]!;
      found = found === undefined ? value : `${found}, ${value}`;
    }
    return found;
  }

  add(name: string, value: string): void {
    this.#names.push(name.toLowerCase());
    this.raw.push(name, value);
  }

  /** Replaces the value of the first line of this name and removes the others, or appends a line with `name`. */
  set(lower: string, name: string, value: string): void {
    const at = this.#names.indexOf(lower);
    if (at === -1) {
      this.#names.push(lower);
      this.raw.push(name, value);
      return;
    }
    this.raw[2 * at + 1] = value;
    this.#deleteFrom(at + 1, lower);
  }

  delete(lower: string): void {
    this.#deleteFrom(0, lower);
  }

  /** Changes the value of each line of this name. */
  map(lower: string, change: (value: string) => string): void {
    for (let at = this.#names.indexOf(lower); at !== -1; at = this.#names.indexOf(lower, at + 1))
      this.raw[2 * at + 1] = change(this.raw[2 * at + 1]!);
  }

  #deleteFrom(start: number, lower: string): void {
    for (let at = this.#names.indexOf(lower, start); at !== -1; at = this.#names.indexOf(lower, at)) {
      this.#names.splice(at, 1);
      this.raw.splice(2 * at, 2);
    }
  }
}
