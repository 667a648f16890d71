/** The bytes of HTTP/2 frames (RFC 9113, 4.1), as a test wants them: also wrong ones. */
import { FrameType } from "../../local-server/http2/frames.ts";

export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ""): Buffer {
  const bytes = typeof payload === "string" ? Buffer.from(payload, "latin1") : payload;
  const header = Buffer.alloc(9);
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
  const text = (value: string) => {
    const bytes = Buffer.from(value, "latin1");
    const length: number[] = [];
    if (bytes.length < 127) length.push(bytes.length);
    else {
      length.push(127);
      let rest = bytes.length - 127;
      for (; rest >= 128; rest >>= 7) length.push(128 | (rest & 127));
      length.push(rest);
    }
    return Buffer.concat([Buffer.from(length), bytes]);
  };
  return Buffer.concat(
    lines.flatMap((line) => {
      const colon = line.indexOf(": ");
      return [Buffer.from([0]), text(line.slice(0, colon)), text(line.slice(colon + 2))];
    }),
  );
}
