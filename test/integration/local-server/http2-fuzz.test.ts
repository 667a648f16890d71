/**
 * The HTTP/2 server against frames at random: whatever comes, nothing is thrown, each request is told of its end, all bytes that were
 * given to be sent are let go, and the next connection is served. Seeded, so that a failure comes again.
 */

import type { Socket } from "node:net";
import { duplexPair } from "node:stream";
import { expect, test } from "vitest";
import { Http2Server } from "../../../local-server/downstream/http2-server.ts";
import { Flag, FrameType, PREFACE } from "../../../local-server/http2/frames.ts";
import { block, frame, numbers, settings } from "../../support/http2-frames.ts";
import { randomNumbers } from "../../support/random-numbers.ts";

const CASES = 4_000;
const SEED = 20_261_129;

const GET = [":method: GET", ":scheme: http", ":authority: example.com", ":path: /"];
const POST = [":method: POST", ...GET.slice(1)];
const { DATA, HEADERS, PRIORITY, RST_STREAM, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION } = FrameType;

function client(next: () => number): Buffer {
  const any = (most: number) => Math.floor(next() * (most + 1));
  const one = <Value>(...values: Value[]): Value => values[any(values.length - 1)]!;
  let last = -1;
  const begun = () => Math.max(1, last - 2 * any(3));
  const begin = () => {
    last += 2;
    return last;
  };
  const whole = Flag.END_HEADERS;
  const makers: (() => Buffer)[] = [
    () => frame(HEADERS, whole | Flag.END_STREAM, begin(), block(GET)),
    () => frame(HEADERS, whole, begin(), block(POST)),
    () => frame(HEADERS, whole, begin(), block([...POST, `content-length: ${any(20)}`])),
    () =>
      frame(
        HEADERS,
        whole,
        begin(),
        block([...POST.slice(any(4)), one("te: x", "X: y", "a: b", ":path: /")]),
      ),
    () => frame(HEADERS, whole, begin(), Buffer.from(Array.from({ length: any(30) }, () => any(255)))),
    () => Buffer.concat([frame(HEADERS, 0, begin(), block(GET)), frame(CONTINUATION, one(0, 4, 4), last)]),
    () => frame(HEADERS, one(4, 5, 5), begun(), block(["x-trailer: 1"])),
    () => frame(DATA, one(0, 0, 1, 8, 9), begun(), Buffer.alloc(any(20), any(5))),
    () => frame(DATA, 0, begun(), Buffer.alloc(16_384)),
    () => numbers(RST_STREAM, begun(), any(13)),
    () => numbers(WINDOW_UPDATE, one(0, begun()), one(0, 1, 1000, 65_535, 0x7fff_ffff)),
    () => settings([4, one(0, 1, 20, 65_535, 1_000_000, 0x7fff_ffff)]),
    () => frame(PING, one(0, 1), 0, "12345678"),
    () => frame(PRIORITY, 0, one(begun(), last + 4), Buffer.from([0, 0, 0, any(9), 1])),
    () => numbers(GOAWAY, 0, 0, any(3)),
    () => frame(any(12), any(255), any(8), Buffer.from(Array.from({ length: any(10) }, () => any(255)))),
  ];
  const frames = Array.from({ length: 1 + any(25) }, () => one(...makers)());
  const bytes = Buffer.concat([PREFACE, settings(), ...frames]);
  for (let flips = one(0, 0, 0, 1, 3); flips > 0; flips--)
    bytes[PREFACE.length + any(bytes.length - 25)] = any(255);
  return bytes;
}

/** Sends bytes, and drops what comes. Returns when the server has dealt with them. */
async function run(seed: number): Promise<void> {
  const next = randomNumbers(seed);
  const requests: { gone: number; complete: boolean; hadEnd: boolean }[] = [];
  let held = 0;
  const server = new Http2Server((client) => {
    const request = { gone: 0, complete: false, hadEnd: false };
    requests.push(request);
    client.onGone = () => {
      expect(request.complete).toBe(false);
      request.gone++;
    };
    if (next() < 0.7)
      client.read({
        data() {
          if (next() < 0.3) client.pause();
          if (next() < 0.1) client.resume();
        },
        end() {
          expect(request.hadEnd).toBe(false);
          request.hadEnd = true;
        },
      });
    const respond = () => {
      const length = next() < 0.5 ? 50_000 : undefined;
      client.respond({ status: 200, reason: "", headers: ["X", "y"], hasBody: true, length });
      for (let i = 0; i < 5; i++) {
        held++;
        client.write(Buffer.alloc(10_000), () => void held--);
      }
      if (next() < 0.2) client.break();
      else client.end(next() < 0.3 ? ["x-trailer", "1"] : []);
      request.complete = request.gone === 0;
      client.resume();
    };
    const when = next();
    if (when < 0.3) respond();
    else if (when < 0.8) setImmediate(respond);
  });
  const [ours, theirs] = duplexPair();
  const socket = Object.assign(ours, {
    setTimeout() {},
    destroySoon() {
      ours.end(() => ours.destroy());
    },
  });
  server.accept(socket as unknown as Socket);
  theirs.resume();
  theirs.on("error", () => {});
  const bytes = client(next);
  for (let at = 0; at < bytes.length; ) {
    const size = next() < 0.5 ? bytes.length : 1 + Math.floor(next() * 100);
    theirs.write(bytes.subarray(at, at + size));
    at += size;
    if (next() < 0.3) await new Promise(setImmediate);
  }
  for (let i = 0; i < 4; i++) await new Promise(setImmediate);
  const closed = new Promise((resolve) => ours.once("close", resolve));
  if (!ours.destroyed) {
    ours.destroy();
    await closed;
  }
  theirs.destroy();
  expect(held).toBe(0);
  for (const { gone, complete } of requests) expect(gone + Number(complete)).toBe(1);
}

test(`${CASES} clients at random`, { timeout: 120_000 }, async () => {
  for (let i = 0; i < CASES; i++)
    await run(SEED + i).catch((error: Error) => {
      error.message = `client ${i}: ${error.message}`;
      throw error;
    });
});
