import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { frame } from "../../test/support/http2-frames.ts";
import { ConnectionError } from "./errors.ts";
import { type FrameHandler, FrameReader } from "./frame-reader.ts";
import { ErrorCode, Flag, FrameType, PREFACE } from "./frames.ts";

const {
  DATA,
  HEADERS,
  PRIORITY,
  RST_STREAM,
  SETTINGS,
  PUSH_PROMISE,
  PING,
  GOAWAY,
  WINDOW_UPDATE,
  CONTINUATION,
} = FrameType;

/** Notes what it is told. */
class Notes implements FrameHandler {
  readonly lines: string[] = [];
  idle = 0;

  data(stream: number, ends: boolean, bytes: Buffer, size: number): void {
    this.lines.push(`data ${stream} ${ends} ${bytes} ${size}`);
  }
  headers(stream: number, ends: boolean, block: Buffer): void {
    this.lines.push(`headers ${stream} ${ends} ${block.toString("hex")}`);
  }
  reset(stream: number): void {
    this.lines.push(`reset ${stream}`);
  }
  settings({ initialWindowSize }: { initialWindowSize?: number }): void {
    this.lines.push(`settings ${initialWindowSize}`);
  }
  ping(payload: Buffer): void {
    this.lines.push(`ping ${payload}`);
  }
  goAway(): void {
    this.lines.push("goAway");
  }
  windowUpdate(stream: number, increment: number): void {
    this.lines.push(`window ${stream} ${increment}`);
  }
  streamError(stream: number, code: number): void {
    this.lines.push(`error ${stream} ${code}`);
  }
  idleFrame(): void {
    this.idle++;
  }
}

const hex = (text: string) => Buffer.from(text, "hex");
const START = Buffer.concat([PREFACE, frame(SETTINGS, 0, 0)]);

/** What the handler is told of these frames behind the client's start; the error's code, if there is one. */
function read(...frames: Buffer[]): { lines: string[]; idle: number; code?: number } {
  const notes = new Notes();
  const reader = new FrameReader(notes);
  try {
    reader.feed(Buffer.concat([START, ...frames]));
  } catch (error) {
    return { lines: notes.lines.slice(1), idle: notes.idle - 1, code: (error as ConnectionError).code };
  }
  return { lines: notes.lines.slice(1), idle: notes.idle - 1 };
}

test("frames of each kind", () => {
  const { lines, idle } = read(
    frame(HEADERS, Flag.END_HEADERS | Flag.PRIORITY | Flag.PADDED, 1, hex("020000000310aabb0000")),
    frame(HEADERS, Flag.END_STREAM, 3, hex("aa")),
    frame(CONTINUATION, 0, 3, hex("bb")),
    frame(CONTINUATION, Flag.END_HEADERS, 3, hex("cc")),
    frame(DATA, 0, 1, "abc"),
    frame(DATA, Flag.END_STREAM | Flag.PADDED, 1, "\x02de\0\0"),
    frame(WINDOW_UPDATE, 0, 0, hex("80000005")),
    frame(WINDOW_UPDATE, 0, 1, hex("00000006")),
    frame(SETTINGS, 0, 0, hex("000400000007000500ffffff00ff00000000")),
    frame(SETTINGS, Flag.ACK, 0),
    frame(PING, 0, 0, "12345678"),
    frame(PING, Flag.ACK, 0, "12345678"),
    frame(PRIORITY, 0, 5, hex("0000000310")),
    frame(RST_STREAM, 0, 1, hex("00000008")),
    frame(0xfe, 0xff, 7, "extension"),
    frame(GOAWAY, 0, 0, hex("0000000000000000")),
  );
  expect(lines).toEqual([
    "headers 1 false aabb",
    "headers 3 true aabbcc",
    "data 1 false abc 3",
    "data 1 true de 5",
    "window 0 5",
    "window 1 6",
    "settings 7",
    "ping 12345678",
    "reset 1",
    "goAway",
  ]);
  // SETTINGS and PING with their acknowledgements, PRIORITY, the extension, GOAWAY.
  expect(idle).toBe(7);
});

test("the last of several initial windows counts", () => {
  expect(read(frame(SETTINGS, 0, 0, hex("000400000007000400000008"))).lines).toEqual(["settings 8"]);
});

test("empty DATA is counted, but for an end", () => {
  expect(
    read(frame(DATA, 0, 1), frame(DATA, Flag.PADDED, 1, "\0"), frame(DATA, Flag.END_STREAM, 1)).idle,
  ).toBe(2);
});

test.each([
  ["PRIORITY of another size", frame(PRIORITY, 0, 5, "1234"), `error 5 ${ErrorCode.FRAME_SIZE_ERROR}`],
  ["PRIORITY on itself", frame(PRIORITY, 0, 5, hex("0000000510")), `error 5 ${ErrorCode.PROTOCOL_ERROR}`],
  [
    "a window that does not grow",
    frame(WINDOW_UPDATE, 0, 5, hex("80000000")),
    `error 5 ${ErrorCode.PROTOCOL_ERROR}`,
  ],
])("an error of a stream: %s", (_what, bytes, line) => {
  expect(read(bytes).lines).toEqual([line]);
});

const { PROTOCOL_ERROR, FRAME_SIZE_ERROR, FLOW_CONTROL_ERROR, ENHANCE_YOUR_CALM } = ErrorCode;
describe("an error of the connection", () => {
  test.each([
    ["DATA in no stream", PROTOCOL_ERROR, [frame(DATA, 0, 0, "x")]],
    ["HEADERS in no stream", PROTOCOL_ERROR, [frame(HEADERS, 4, 0, "x")]],
    ["RST_STREAM in no stream", PROTOCOL_ERROR, [frame(RST_STREAM, 0, 0, "1234")]],
    ["PRIORITY in no stream", PROTOCOL_ERROR, [frame(PRIORITY, 0, 0, "12345")]],
    ["SETTINGS in a stream", PROTOCOL_ERROR, [frame(SETTINGS, 0, 1)]],
    ["PING in a stream", PROTOCOL_ERROR, [frame(PING, 0, 1, "12345678")]],
    ["GOAWAY in a stream", PROTOCOL_ERROR, [frame(GOAWAY, 0, 1, "12345678")]],
    ["PUSH_PROMISE", PROTOCOL_ERROR, [frame(PUSH_PROMISE, 4, 1, "1234")]],
    ["more padding than payload", PROTOCOL_ERROR, [frame(DATA, Flag.PADDED, 1, "\x03ab")]],
    ["padding without its length", FRAME_SIZE_ERROR, [frame(DATA, Flag.PADDED, 1)]],
    [
      "padding over the priority",
      PROTOCOL_ERROR,
      [frame(HEADERS, Flag.PADDED | Flag.PRIORITY, 1, "\x02123456")],
    ],
    ["a priority that ends too soon", FRAME_SIZE_ERROR, [frame(HEADERS, Flag.PRIORITY, 1, "1234")]],
    [
      "a stream that depends on itself",
      PROTOCOL_ERROR,
      [frame(HEADERS, Flag.PRIORITY, 1, hex("8000000100"))],
    ],
    ["RST_STREAM of another size", FRAME_SIZE_ERROR, [frame(RST_STREAM, 0, 1, "123")]],
    ["PING of another size", FRAME_SIZE_ERROR, [frame(PING, 0, 0, "1234567")]],
    ["GOAWAY that ends too soon", FRAME_SIZE_ERROR, [frame(GOAWAY, 0, 0, "1234567")]],
    ["WINDOW_UPDATE of another size", FRAME_SIZE_ERROR, [frame(WINDOW_UPDATE, 0, 0, "12345")]],
    ["the connection's window does not grow", PROTOCOL_ERROR, [frame(WINDOW_UPDATE, 0, 0, "\0\0\0\0")]],
    ["SETTINGS of another size", FRAME_SIZE_ERROR, [frame(SETTINGS, 0, 0, "12345")]],
    ["an acknowledgement with a payload", FRAME_SIZE_ERROR, [frame(SETTINGS, Flag.ACK, 0, "123456")]],
    ["push neither on nor off", PROTOCOL_ERROR, [frame(SETTINGS, 0, 0, hex("000200000002"))]],
    ["an initial window beyond 2^31-1", FLOW_CONTROL_ERROR, [frame(SETTINGS, 0, 0, hex("000480000000"))]],
    ["frames of less than 16 KB", PROTOCOL_ERROR, [frame(SETTINGS, 0, 0, hex("000500003fff"))]],
    ["frames of more than 16 MB", PROTOCOL_ERROR, [frame(SETTINGS, 0, 0, hex("000501000000"))]],
    ["a frame of more than 16 KB", FRAME_SIZE_ERROR, [frame(DATA, 0, 1, Buffer.alloc(16_385))]],
    ["a continuation of nothing", PROTOCOL_ERROR, [frame(CONTINUATION, 4, 1, "x")]],
    [
      "another frame in a header block",
      PROTOCOL_ERROR,
      [frame(HEADERS, 0, 1, "x"), frame(PING, 0, 0, "12345678")],
    ],
    ["an extension in a header block", PROTOCOL_ERROR, [frame(HEADERS, 0, 1, "x"), frame(0xfe, 0, 1)]],
    [
      "a continuation in another stream",
      PROTOCOL_ERROR,
      [frame(HEADERS, 0, 1, "x"), frame(CONTINUATION, 4, 3)],
    ],
    [
      "empty continuations without end",
      ENHANCE_YOUR_CALM,
      [frame(HEADERS, 0, 1), ...Array.from({ length: 17 }, () => frame(CONTINUATION, 0, 1))],
    ],
  ])("%s", (_what, code, frames) => {
    expect(read(...frames).code).toBe(code);
  });

  test.each([
    ["another preface", Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\rx")],
    ["the beginning of another preface", Buffer.from("PRI * HTTP/1")],
    ["no settings at first", Buffer.concat([PREFACE, frame(PING, 0, 0, "12345678")])],
    ["an acknowledgement at first", Buffer.concat([PREFACE, frame(SETTINGS, Flag.ACK, 0)])],
  ])("%s", (_what, bytes) => {
    expect(() => new FrameReader(new Notes()).feed(bytes)).toThrow(
      expect.objectContaining({ code: PROTOCOL_ERROR }),
    );
  });
});

test("a reader that is stopped by what it has read reads no further", () => {
  const notes = new Notes();
  const reader = new FrameReader(notes);
  notes.reset = () => reader.stop();
  reader.feed(Buffer.concat([START, frame(RST_STREAM, 0, 1, "1234"), frame(DATA, 0, 1, "x")]));
  reader.feed(frame(DATA, 0, 1, "x"));
  expect(notes.lines).toEqual(["settings undefined"]);
});

const anyFrame = fc
  .tuple(
    fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 255 })),
    fc.oneof(fc.constantFrom(0, 1, 4, 5, 8, 36), fc.integer({ min: 0, max: 255 })),
    fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 0xffff_ffff })),
    fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 8 }), fc.uint8Array({ maxLength: 60 })),
  )
  .map(([type, flags, stream, payload]) => frame(type, flags, stream, Buffer.from(payload)));

test("frames mean the same in whatever pieces they come, and are read or refused", () => {
  fc.assert(
    fc.property(
      fc.array(anyFrame, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
      fc.uint8Array({ maxLength: 30 }),
      (frames, sizes, rest) => {
        const bytes = Buffer.concat([START, ...frames, rest]);
        const outcome = (pieces: Buffer[]) => {
          const notes = new Notes();
          const reader = new FrameReader(notes);
          try {
            for (const piece of pieces) reader.feed(piece);
          } catch (error) {
            if (!(error instanceof ConnectionError)) throw error;
            notes.lines.push(error.message);
          }
          return [...notes.lines, notes.idle];
        };
        const pieces: Buffer[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length]!;
          pieces.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(outcome(pieces)).toEqual(outcome([bytes]));
      },
    ),
    { seed: 9113, numRuns: 3_000 },
  );
});
