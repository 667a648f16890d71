/** One HTTP/2 connection that asks as h2load does: windows that are never full, and one write for what the bytes just read make room for. */
import type { TLSSocket } from "node:tls";
import { DEFAULT_TABLE_SIZE, Flag, FrameType, PREFACE, Setting } from "../../../local-server/http2/frames.ts";
import { STATIC_TABLE } from "../../../local-server/http2/static-table.ts";
import {
  frame,
  headerText,
  integer,
  numbers,
  type ReceivedFrame,
  readFrames,
  settings,
} from "../../support/http2-frames.ts";

/** Bytes of a response that come without an update of the window: more than any load has. */
const WINDOW = 2 ** 30;
/** ":status: 200" as the static table has it (RFC 7541, Appendix A). */
const OK = 0x88;
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
    output.push(frame(FrameType.HEADERS, Flag.END_STREAM | Flag.END_HEADERS, stream, encode(head)));
    stream += 2;
  };
  const flush = () => {
    if (output.length > 0) socket.write(Buffer.concat(output));
    output = [];
  };
  const receive = ({ type, flags, stream: id, payload }: ReceivedFrame) => {
    if (type === FrameType.SETTINGS && !(flags & Flag.ACK))
      output.push(frame(FrameType.SETTINGS, Flag.ACK, 0));
    else if (type === FrameType.PING && !(flags & Flag.ACK))
      output.push(frame(FrameType.PING, Flag.ACK, 0, payload));
    else if (type === FrameType.HEADERS && payload[0] === OK) ok.add(id);
    if (type > FrameType.HEADERS || !(flags & Flag.END_STREAM)) return;
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

/** Puts each line into the dynamic table, as nghttp2 and browsers do. */
function headEncoder(): (head: [name: string, value: string][]) => Buffer {
  /** Newest first. */
  const table: { line: string; size: number }[] = [];
  let size = 0;
  return (head) => {
    const bytes: Buffer[] = [];
    for (const [name, value] of head) {
      const line = `${name}\0${value}`;
      const index = table.findIndex((entry) => entry.line === line);
      if (index !== -1) {
        bytes.push(integer(0x80, 0x7f, STATIC_TABLE.length + 1 + index));
        continue;
      }
      bytes.push(Buffer.from([0x40]), headerText(name), headerText(value));
      const entry = { line, size: name.length + value.length + ENTRY_OVERHEAD };
      table.unshift(entry);
      for (size += entry.size; size > DEFAULT_TABLE_SIZE; ) size -= table.pop()!.size;
    }
    return Buffer.concat(bytes);
  };
}
