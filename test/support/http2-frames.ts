/** The bytes of HTTP/2 frames (RFC 9113, 4.1), as a test wants them: also wrong ones. */
import { FRAME_HEADER, FrameType } from "../../local-server/http2/frames.ts";

export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ""): Buffer {
  const bytes = typeof payload === "string" ? Buffer.from(payload, "latin1") : payload;
  const header = Buffer.alloc(FRAME_HEADER);
  header.writeUIntBE(bytes.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, bytes]);
}

/** A frame whose payload is numbers of 32 bits. */
export function numbers(type: number, stream: number, ...values: number[]): Buffer {
  const payload = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) payload.writeUInt32BE(value, 4 * i);
  return frame(type, 0, stream, payload);
}

export function settings(...pairs: [setting: number, value: number][]): Buffer {
  const payload = Buffer.alloc(6 * pairs.length);
  for (const [i, [setting, value]] of pairs.entries()) {
    payload.writeUInt16BE(setting, 6 * i);
    payload.writeUInt32BE(value, 6 * i + 2);
  }
  return frame(FrameType.SETTINGS, 0, 0, payload);
}

/** A header block of `name: value`, without tables. */
export function block(lines: string[]): Buffer {
  return Buffer.concat(
    lines.flatMap((line) => {
      const colon = line.indexOf(": ");
      return [Buffer.from([0]), headerText(line.slice(0, colon)), headerText(line.slice(colon + 2))];
    }),
  );
}

/** A name or a value, without Huffman's code (RFC 7541, 5.2). */
export function headerText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([integer(0, 127, bytes.length), bytes]);
}

/** In the low bits of the first byte, whose others are `flags`, and behind it (RFC 7541, 5.1). */
export function integer(flags: number, mask: number, value: number): Buffer {
  if (value < mask) return Buffer.from([flags | value]);
  const bytes = [flags | mask];
  let rest = value - mask;
  for (; rest >= 128; rest >>= 7) bytes.push(128 | (rest & 127));
  bytes.push(rest);
  return Buffer.from(bytes);
}

export interface ReceivedFrame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
}

/** Hands over each whole frame, and returns the bytes of the last one that is not. Payloads are views of `bytes`. */
export function readFrames(bytes: Buffer, receive: (frame: ReceivedFrame) => void): Buffer {
  let at = 0;
  while (bytes.length - at >= FRAME_HEADER) {
    const end = at + FRAME_HEADER + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    receive({
      type: bytes[at + 3]!,
      flags: bytes[at + 4]!,
      stream: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + FRAME_HEADER, end),
    });
    at = end;
  }
  return bytes.subarray(at);
}
