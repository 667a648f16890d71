/** One HTTP/2 connection that asks as h2load does: windows that are never full, and one write for what the bytes just read make room for. */
import type { TLSSocket } from "node:tls";
import { FrameType, PREFACE, Setting } from "../../../local-server/http2/frames.ts";
import { frame, numbers, settings } from "../../support/http2-frames.ts";

/** Bytes of a response that come without an update of the window: more than any load has. */
const WINDOW = 2 ** 30;
const FRAME_HEADER = 9;
const HEADERS = 1;
const SETTINGS = 4;
const PING = 6;
const ACK = 1;
const END_STREAM = 1;
const END_HEADERS = 4;
/** ":status: 200" as the static table has it (RFC 7541, Appendix A). */
const OK = 0x88;
const STATIC_ENTRIES = 61;
const TABLE_SIZE = 4_096;
const ENTRY_OVERHEAD = 32;

/** As many requests at once as `begin` gives heads; `done` gets whether each response had the status 200. */
export function askByHttp2(
  socket: TLSSocket,
  atOnce: number,
  begin: () => [name: string, value: string][] | undefined,
  done: (ok: boolean) => void,
): void {
  const encode = headEncoder();
  const ok = new Set<number>();
  let stream = 1;
  let output: Buffer[] = [];
  const request = () => {
    const head = begin();
    if (!head) return;
    output.push(frame(HEADERS, END_STREAM | END_HEADERS, stream, encode(head)));
    stream += 2;
  };
  const flush = () => {
    if (output.length > 0) socket.write(Buffer.concat(output));
    output = [];
  };
  const receive = (type: number, flags: number, id: number, payload: Buffer) => {
    if (type === SETTINGS && !(flags & ACK)) output.push(frame(SETTINGS, ACK, 0));
    else if (type === PING && !(flags & ACK)) output.push(frame(PING, ACK, 0, payload));
    else if (type === HEADERS && payload[0] === OK) ok.add(id);
    if (type > HEADERS || !(flags & END_STREAM)) return;
    done(ok.delete(id));
    request();
  };
  let rest: Buffer = Buffer.alloc(0);
  let scheduled = false;
  socket.on("data", (chunk: Buffer) => {
    rest = readFrames(rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk, receive);
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      flush();
    });
  });
  socket.once("secureConnect", () => {
    output.push(
      PREFACE,
      settings([Setting.INITIAL_WINDOW_SIZE, WINDOW]),
      numbers(FrameType.WINDOW_UPDATE, 0, WINDOW),
    );
    for (let i = 0; i < atOnce; i++) request();
    flush();
  });
}

/** Returns the bytes of a frame that is not complete. A DATA frame's payload is not looked at. */
function readFrames(
  bytes: Buffer,
  receive: (type: number, flags: number, stream: number, payload: Buffer) => void,
): Buffer {
  let at = 0;
  while (bytes.length - at >= FRAME_HEADER) {
    const end = at + FRAME_HEADER + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    const payload = bytes.subarray(at + FRAME_HEADER, end);
    receive(bytes[at + 3]!, bytes[at + 4]!, bytes.readUInt32BE(at + 5), payload);
    at = end;
  }
  return bytes.subarray(at);
}

/** Puts each line into the dynamic table, as nghttp2 and browsers do. */
function headEncoder(): (head: [name: string, value: string][]) => Buffer {
  /** Newest first. */
  const table: { line: string; size: number }[] = [];
  let size = 0;
  return (head) => {
    const bytes: number[] = [];
    for (const [name, value] of head) {
      const line = `${name}\0${value}`;
      const index = table.findIndex((entry) => entry.line === line);
      if (index !== -1) {
        writeInteger(bytes, 0x80, 0x7f, STATIC_ENTRIES + 1 + index);
        continue;
      }
      bytes.push(0x40);
      for (const text of [name, value]) {
        writeInteger(bytes, 0, 0x7f, text.length);
        bytes.push(...Buffer.from(text));
      }
      const entry = { line, size: name.length + value.length + ENTRY_OVERHEAD };
      table.unshift(entry);
      for (size += entry.size; size > TABLE_SIZE; ) size -= table.pop()!.size;
    }
    return Buffer.from(bytes);
  };
}

/** RFC 7541, 5.1. */
function writeInteger(bytes: number[], flags: number, mask: number, value: number): void {
  if (value < mask) {
    bytes.push(flags | value);
    return;
  }
  bytes.push(flags | mask);
  let rest = value - mask;
  for (; rest >= 0x80; rest >>= 7) bytes.push(0x80 | (rest & 0x7f));
  bytes.push(rest);
}
