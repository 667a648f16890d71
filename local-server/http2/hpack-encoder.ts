/**
 * Encodes header blocks (RFC 7541) without a dynamic table: bytes are cheap on this machine, and so a block depends on its lines
 * alone, can be used again, and tells nothing of others by its length.
 */
import { isFieldValue, trimSpaces } from "../http/fields.ts";
import { writeLatin1 } from "../node-internals.ts";
import { CONNECTION_SPECIFIC, FIELD_NAME } from "./header-field.ts";
import { STATIC_TABLE } from "./static-table.ts";

/** Bytes of the longest integer that is written. */
const MAX_INTEGER = 6;
const EMPTY: Buffer = Buffer.alloc(0);

/** By name, the index in the static table. */
const INDEXES = new Map<string, number>();
for (const [i, { name }] of STATIC_TABLE.entries()) if (!INDEXES.has(name)) INDEXES.set(name, i + 1);
const STATUSES = new Map<number, number>();
for (const [i, { name, value }] of STATIC_TABLE.entries())
  if (name === ":status") STATUSES.set(Number(value), i + 1);

/** Fields that belong to a connection of HTTP/1.1, or to its upgrade: they are left out. */
const LEFT_OUT: ReadonlySet<string> = new Set([...CONNECTION_SPECIFIC, "te", "http2-settings"]);

/** The beginnings of fields with these names, as services write them. Empty for those that are left out. */
const names = new Map<string, Buffer>();
const MAX_NAMES = 512;
const MAX_NAME_LENGTH = 64;

/** Encodes the heads of one connection's responses. Most of them are equal. */
export class HeadEncoder {
  #status = 0;
  #lines: readonly string[] = [];
  #block = EMPTY;

  /** As `encodeHead`. */
  encode(status: number, lines: readonly string[]): Buffer {
    if (status !== this.#status || !areEqual(lines, this.#lines)) {
      this.#block = encodeHead(status, lines);
      this.#status = status;
      this.#lines = lines;
    }
    return this.#block;
  }
}

function areEqual(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}

/** The head of a response. `lines`: name, value, name, value…; throws for what HTTP/2 cannot carry. */
export function encodeHead(status: number, lines: readonly string[]): Buffer {
  const index = STATUSES.get(status);
  if (index !== undefined) return encode([0x80 | index], lines);
  const digits = String(status);
  return encode([INDEXES.get(":status")!, digits.length, ...Buffer.from(digits)], lines);
}

/** Trailers, in the same way. */
export function encodeLines(lines: readonly string[]): Buffer {
  return lines.length === 0 ? EMPTY : encode([], lines);
}

/** `start`: bytes before the lines. */
function encode(start: readonly number[], lines: readonly string[]): Buffer {
  let size = start.length;
  const encodedNames: Buffer[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    const name = encodedName(lines[i]!);
    encodedNames.push(name);
    size += name.length + MAX_INTEGER + lines[i + 1]!.length;
  }
  const block = Buffer.allocUnsafe(size);
  block.set(start);
  let at = start.length;
  for (let i = 0; i < encodedNames.length; i++) {
    const name = encodedNames[i]!;
    if (name.length === 0) continue;
    // HTTP/2 has no spaces around it; a folded line may leave one.
    const value = trimSpaces(lines[2 * i + 1]!);
    if (!isFieldValue(value)) throw new Error(`HTTP/2 cannot carry this value of ${lines[2 * i]}`);
    block.set(name, at);
    at = writeString(block, at + name.length, value);
  }
  return block.subarray(0, at);
}

/** The beginning of a literal field that is not indexed (RFC 7541, 6.2.2), up to its name. */
function encodedName(name: string): Buffer {
  const known = names.get(name);
  if (known) return known;
  const lower = name.toLowerCase();
  if (!FIELD_NAME.test(lower)) throw new Error(`HTTP/2 cannot carry a header with the name ${name}`);
  const bytes = Buffer.alloc(1 + MAX_INTEGER + lower.length);
  const index = INDEXES.get(lower);
  let end = 0;
  if (index !== undefined) end = writeInteger(bytes, 0, 0x0f, index);
  else if (!LEFT_OUT.has(lower)) end = writeString(bytes, 1, lower);
  const encoded = LEFT_OUT.has(lower) ? EMPTY : bytes.subarray(0, end);
  if (names.size < MAX_NAMES && name.length <= MAX_NAME_LENGTH) names.set(name, encoded);
  return encoded;
}

function writeString(to: Buffer, at: number, text: string): number {
  const start = writeInteger(to, at, 0x7f, text.length);
  writeLatin1(to, text, start);
  return start + text.length;
}

/** In the low bits of the first byte, and behind it (RFC 7541, 5.1). Returns where it ends. */
function writeInteger(to: Buffer, at: number, mask: number, value: number): number {
  if (value < mask) {
    to[at] = value;
    return at + 1;
  }
  let end = at;
  to[end++] = mask;
  let rest = value - mask;
  for (; rest >= 0x80; rest >>= 7) to[end++] = 0x80 | (rest & 0x7f);
  to[end++] = rest;
  return end;
}
