/** The HTTP/2 server frame by frame, without the proxy behind it. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Client } from "../../../local-server/downstream/client.ts";
import { Http2Server } from "../../../local-server/downstream/http2-server.ts";
import type { LocalFailure } from "../../../local-server/http/local-failures.ts";
import { ErrorCode, Flag, FrameType, Setting } from "../../../local-server/http2/frames.ts";
import { block, frame, numbers, settings } from "../../support/http2-frames.ts";
import { FrameClient } from "./frame-client.ts";

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION } =
  FrameType;
const { END_STREAM, END_HEADERS, PADDED } = Flag;

interface Served {
  client: Client;
  refusal: LocalFailure | undefined;
  gone: number;
}
/** The requests so far. */
let served: Served[] = [];
let onRequest: (client: Client) => void = () => {};
let sockets: Socket[] = [];
let http2: Http2Server;
let listener: Server;
let port = 0;

beforeEach(async () => {
  served = [];
  sockets = [];
  onRequest = () => {};
  http2 = new Http2Server((client, refusal) => {
    const entry: Served = { client, refusal, gone: 0 };
    client.onGone = () => {
      entry.gone++;
    };
    served.push(entry);
    onRequest(client);
  });
  listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.push(socket);
    http2.accept(socket);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  port = (listener.address() as AddressInfo).port;
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  listener.close();
});

const OK = { status: 200, reason: "OK", headers: [] as string[], hasBody: true, length: undefined };
const answer = (client: Client, body: string | Buffer, length: number | undefined = undefined) => {
  client.respond({ ...OK, length });
  client.write(Buffer.from(body as string), () => {});
  client.end([]);
};
/** Windows without an end. */
const OPEN = Buffer.concat([
  settings([Setting.INITIAL_WINDOW_SIZE, 0x7fff_ffff]),
  numbers(WINDOW_UPDATE, 0, 0x7fff_0000),
]);

async function request(index: number): Promise<Served> {
  while (!served[index]) await new Promise((resolve) => setTimeout(resolve, 2));
  return served[index];
}

describe("responses", () => {
  test("one of known length ends with its last bytes, another with a frame of its own", async () => {
    onRequest = (client) => answer(client, "body", client.header("x-known") ? 4 : undefined);
    const client = await FrameClient.connect(port);
    client.send(client.head(1, { lines: ["x-known: 1"] }), client.head(3));
    await client.until(() => client.ended(1) && client.ended(3), "both");
    expect(
      client.frames
        .filter(({ type }) => type === DATA)
        .map(({ flags, stream, payload }) => [stream, flags, `${payload}`]),
    ).toEqual([
      [1, END_STREAM, "body"],
      [3, 0, "body"],
      [3, END_STREAM, ""],
    ]);
    expect(served.map(({ gone }) => gone)).toEqual([0, 0]);
  });

  test("one without a body ends with its head, one with trailers with those", async () => {
    onRequest = (client) => {
      if (client.header("x-none")) return client.respond({ ...OK, headers: ["X", "1"], hasBody: false });
      client.inform(103, ["Link", "</x>"]);
      client.respond({ ...OK, headers: ["Content-Type", "text/plain"] });
      client.write(Buffer.from("x"), () => {});
      client.end(["Grpc-Status", "0", "Connection", "x"]);
    };
    const client = await FrameClient.connect(port);
    client.send(client.head(1, { lines: ["x-none: 1"] }), client.head(3));
    await client.until(() => client.ended(1) && client.ended(3), "both");
    expect(client.heads(1)).toEqual([[":status: 200", "x: 1"]]);
    expect(client.heads(3)).toEqual([
      [":status: 103", "link: </x>"],
      [":status: 200", "content-type: text/plain"],
      ["grpc-status: 0"],
    ]);
  });

  test("a head of more than a frame", async () => {
    onRequest = (client) => client.respond({ ...OK, headers: ["X", "x".repeat(40_000)], hasBody: false });
    const client = await FrameClient.connect(port);
    client.send(client.head(1));
    const { flags } = await client.next(HEADERS, 1);
    expect(flags).toBe(END_STREAM);
    await client.until(
      () => client.frames.some((each) => each.type === CONTINUATION && each.flags === END_HEADERS),
      "its end",
    );
    expect(
      client.frames.filter(({ type }) => type === CONTINUATION).map(({ payload }) => payload.length),
    ).toHaveLength(2);
  });

  test("a client that keeps no table for us is told once that there is none", async () => {
    onRequest = (client) => {
      client.inform(103, ["Link", "</x>"]);
      client.respond({ ...OK, headers: ["X", "1"], hasBody: false });
    };
    const client = await FrameClient.connect(port, { first: settings([Setting.HEADER_TABLE_SIZE, 0]) });
    client.send(client.head(1), client.head(3));
    await client.until(() => client.ended(1) && client.ended(3), "both");
    const blocks = client.frames.filter(({ type }) => type === HEADERS);
    expect(blocks.map(({ payload }) => payload[0] === 0x20)).toEqual([true, false, false, false]);
    expect(client.heads(1)).toEqual([
      [":status: 103", "link: </x>"],
      [":status: 200", "x: 1"],
    ]);
  });

  test("a window that is small lets go what fits, and no more is taken from the service", async () => {
    const client = await FrameClient.connect(port, { first: settings([Setting.INITIAL_WINDOW_SIZE, 10]) });
    const events: string[] = [];
    onRequest = (client) => {
      client.respond(OK);
      client.onDrain = () => events.push("drain");
      events.push(`first ${client.write(Buffer.from("12345"), () => events.push("done 1"))}`);
      events.push(`second ${client.write(Buffer.from("67890abcde"), () => events.push("done 2"))}`);
    };
    client.send(client.head(1));
    await client.until(() => client.body(1).length === 10, "the first ten");
    await client.settled();
    expect(events).toEqual(["done 1", "first true", "second false"]);
    client.send(numbers(WINDOW_UPDATE, 1, 2));
    await client.until(() => client.body(1).length === 12, "two more");
    expect(events).toHaveLength(3);
    client.send(numbers(WINDOW_UPDATE, 1, 100));
    await client.until(() => client.body(1).length === 15, "the rest");
    expect(events.slice(3)).toEqual(["done 2", "drain"]);
    expect(`${client.body(1)}`).toBe("1234567890abcde");
  });

  test("a window that is taken back is below zero first", async () => {
    const client = await FrameClient.connect(port, { first: settings([Setting.INITIAL_WINDOW_SIZE, 100]) });
    onRequest = (client) => answer(client, "x".repeat(300));
    client.send(client.head(1));
    await client.until(() => client.body(1).length === 100, "the first hundred");
    client.send(settings([Setting.INITIAL_WINDOW_SIZE, 40]), numbers(WINDOW_UPDATE, 1, 60));
    await client.settled();
    expect(client.body(1)).toHaveLength(100);
    client.send(numbers(WINDOW_UPDATE, 1, 1));
    await client.until(() => client.body(1).length === 101, "one more");
    client.send(settings([Setting.INITIAL_WINDOW_SIZE, 1_000]));
    await client.until(() => client.ended(1), "the end");
    expect(client.body(1)).toHaveLength(300);
  });

  test("streams that wait for the connection's window go on in turns", async () => {
    const client = await FrameClient.connect(port, {
      first: settings([Setting.INITIAL_WINDOW_SIZE, 1_000_000]),
    });
    onRequest = (client) => answer(client, "x".repeat(client.header("x-first") ? 65_535 : 40_000));
    client.send(client.head(1, { lines: ["x-first: 1"] }));
    await client.until(() => client.ended(1), "what uses up the window");
    client.send(client.head(3), client.head(5), client.head(7));
    await request(3);
    await client.settled();
    expect(client.body(3)).toHaveLength(0);
    client.send(numbers(WINDOW_UPDATE, 0, 1_000_000));
    await client.until(() => [3, 5, 7].every((stream) => client.ended(stream)), "all");
    const turns = client.frames.filter(
      ({ type, stream, payload }) => type === DATA && stream > 1 && payload.length > 0,
    );
    expect(turns.map(({ stream }) => stream)).toEqual([3, 5, 7, 3, 5, 7, 3, 5, 7]);
  });

  test("a large response holds up no small one, though the client reads slowly", async () => {
    onRequest = (client) => {
      if (!client.header("x-large")) return answer(client, "small");
      client.respond(OK);
      let left = 400;
      const more = () => {
        while (left-- > 0 && client.write(Buffer.alloc(100_000), () => {}));
      };
      client.onDrain = more;
      more();
    };
    const client = await FrameClient.connect(port, { first: OPEN });
    client.send(client.head(1, { lines: ["x-large: 1"] }));
    await client.until(() => client.body(1).length > 1_000_000, "some of the large one");
    client.socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 100));
    client.send(client.head(3));
    await request(1);
    const before = client.body(1).length;
    client.socket.resume();
    await client.until(() => client.ended(3), "the small one");
    const at = client.frames.findIndex(({ stream }) => stream === 3);
    const ahead = client.frames.slice(0, at).filter(({ type }) => type === DATA);
    const size = ahead.reduce((sum, { payload }) => sum + payload.length, 0) - before;
    // What the kernel had already, and two writes.
    expect(size).toBeLessThan(12_000_000);
    client.socket.destroy();
  });

  test("a response that is broken off does not end like a whole one", async () => {
    onRequest = (client) => {
      client.respond(OK);
      client.write(Buffer.from("half"), () => {});
      client.break();
    };
    const client = await FrameClient.connect(port);
    client.send(client.head(1));
    expect(await client.reset(1)).toBe(ErrorCode.INTERNAL_ERROR);
    expect(`${client.body(1)}`).toBe("half");
    expect(client.ended(1)).toBe(false);
    expect(served[0]!.gone).toBe(0);
  });

  test("a response before the body of its request ends the stream", async () => {
    onRequest = (client) => answer(client, "no");
    const client = await FrameClient.connect(port);
    client.send(client.head(1, { method: "POST" }));
    expect(await client.reset(1)).toBe(ErrorCode.NO_ERROR);
    expect(client.ended(1)).toBe(true);
    // What is under way is no error, and its bytes are given back.
    for (let i = 0; i < 40; i++) client.send(frame(DATA, 0, 1, Buffer.alloc(16_000)));
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block(["x: y"])));
    const update = () =>
      client.frames.filter(({ type, stream }) => type === WINDOW_UPDATE && stream === 0).length > 1;
    await client.until(update, "a new window");
    await client.settled();
    expect(client.frames.filter(({ type }) => type === RST_STREAM || type === GOAWAY)).toHaveLength(1);
  });

  test.each([
    ["no bytes", 0],
    ["too few", 3],
  ])("a body shorter than its length does not look complete: %s", async (_what, size) => {
    onRequest = (client) => answer(client, "x".repeat(size), 4);
    const client = await FrameClient.connect(port);
    client.send(client.head(1));
    expect(await client.reset(1)).toBe(ErrorCode.INTERNAL_ERROR);
    expect(client.ended(1)).toBe(false);
    expect(served[0]!.gone).toBe(0);
  });

  test("a body longer than its length is cut there", async () => {
    onRequest = (client) => answer(client, "12345678", 4);
    const client = await FrameClient.connect(port, { first: settings([Setting.INITIAL_WINDOW_SIZE, 2]) });
    client.send(client.head(1));
    await client.until(() => client.body(1).length === 2, "a part");
    client.send(numbers(WINDOW_UPDATE, 1, 100));
    await client.until(() => client.ended(1), "the end");
    expect(`${client.body(1)}`).toBe("1234");
  });
});

describe("requests", () => {
  /** Collects the body of the next request. */
  const collect = (into: { body: string; trailers?: string[] | undefined }) => (client: Client) =>
    client.read({
      data: (chunk) => {
        into.body += chunk.toString("latin1");
      },
      end: (trailers) => {
        into.trailers = trailers;
        answer(client, "done");
      },
    });

  test("a body with padding and trailers", async () => {
    const got = { body: "" };
    onRequest = collect(got);
    const client = await FrameClient.connect(port);
    client.send(
      client.head(1, { method: "POST", lines: ["content-length: 6"] }),
      frame(DATA, PADDED, 1, "\x03abc\0\0\0"),
      frame(DATA, 0, 1, "def"),
      frame(HEADERS, END_HEADERS | END_STREAM, 1, block(["x-sum: 1"])),
    );
    await client.until(() => client.ended(1), "the response");
    expect(got).toEqual({ body: "abcdef", trailers: ["x-sum", "1"] });
  });

  test("a client gets its window back when the bytes are taken, and not before", async () => {
    let count = 0;
    onRequest = (client) => {
      client.pause();
      client.read({
        data(chunk) {
          count += chunk.length;
        },
        end() {},
      });
    };
    const client = await FrameClient.connect(port);
    client.send(client.head(1, { method: "POST" }));
    await client.next(SETTINGS);
    for (let i = 0; i < 16; i++) client.send(frame(DATA, 0, 1, Buffer.alloc(16_384)));
    await client.settled();
    const updates = (id: number) =>
      client.frames
        .filter(({ type, stream }) => type === WINDOW_UPDATE && stream === id)
        .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);
    expect({ count, stream: updates(1) }).toEqual({ count: 0, stream: 0 });
    served[0]!.client.resume();
    await client.until(() => updates(1) === 262_144, "the window");
    expect(count).toBe(262_144);
    client.send(frame(DATA, END_STREAM, 1, "x"));
    await client.settled();
    expect(count).toBe(262_145);
  });

  test.each([
    [
      "against what it says",
      () => {},
      (client: FrameClient, stream: number) => [
        client.head(stream, { method: "POST", lines: ["content-length: 1"] }),
        frame(DATA, 0, stream, Buffer.alloc(16_000)),
      ],
    ],
    [
      "that nobody reads",
      (client: Client) => {
        setImmediate(() => answer(client, "no", 2));
      },
      (client: FrameClient, stream: number) => [
        client.head(stream, { method: "POST" }),
        frame(DATA, END_STREAM, stream, Buffer.alloc(16_000)),
      ],
    ],
  ])("the bytes of a body %s leave the connection its window", async (_what, act, frames) => {
    onRequest = act;
    const client = await FrameClient.connect(port);
    let sent = 0;
    for (let stream = 1; stream < 200; stream += 2) {
      client.send(...frames(client, stream));
      sent += 16_000;
      await client.settled();
    }
    const updates = client.frames.filter(({ type, stream }) => type === WINDOW_UPDATE && stream === 0);
    const window = updates.reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 65_535) - sent;
    expect(client.closed).toBe(false);
    expect(window).toBeGreaterThan(500_000);
  });

  test("pieces that wait do not keep what came with them", async () => {
    const kept: number[] = [];
    onRequest = (client) => {
      client.pause();
      client.read({ data: ({ buffer }) => void kept.push(buffer.byteLength), end() {} });
    };
    const client = await FrameClient.connect(port);
    client.send(client.head(1, { method: "POST" }), ...Array(8).fill(frame(DATA, 0, 1, Buffer.alloc(5_000))));
    await client.settled();
    served[0]!.client.resume();
    expect(kept).toEqual(Array(8).fill(5_000));
  });

  test("pieces of a byte that wait arrive as they were", async () => {
    const got = { body: "", trailers: undefined as string[] | undefined };
    onRequest = (client) => {
      client.pause();
      collect(got)(client);
    };
    const client = await FrameClient.connect(port);
    client.send(client.head(1, { method: "POST" }));
    const text = Array.from({ length: 20_000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join("");
    client.send(...Array.from(text, (letter) => frame(DATA, 0, 1, letter)), frame(DATA, END_STREAM, 1, "!"));
    await client.settled();
    expect(got.body).toBe("");
    served[0]!.client.resume();
    await client.until(() => client.ended(1), "the response");
    expect(got.body).toBe(`${text}!`);
  });

  test.each([
    ["more bytes than it says", ErrorCode.PROTOCOL_ERROR, ["content-length: 3"], [frame(DATA, 0, 1, "four")]],
    [
      "fewer bytes than it says",
      ErrorCode.PROTOCOL_ERROR,
      ["content-length: 3"],
      [frame(DATA, END_STREAM, 1, "2!")],
    ],
    [
      "fewer bytes before trailers",
      ErrorCode.PROTOCOL_ERROR,
      ["content-length: 3"],
      [frame(HEADERS, 5, 1, block(["x: y"]))],
    ],
    ["trailers that do not end it", ErrorCode.PROTOCOL_ERROR, [], [frame(HEADERS, 4, 1, block(["x: y"]))]],
    [
      "trailers with a pseudo-header",
      ErrorCode.PROTOCOL_ERROR,
      [],
      [frame(HEADERS, 5, 1, block([":path: /"]))],
    ],
    [
      "bytes behind its end",
      ErrorCode.STREAM_CLOSED,
      [],
      [frame(DATA, END_STREAM, 1, "x"), frame(DATA, 0, 1, "y")],
    ],
    [
      "trailers behind its end",
      ErrorCode.STREAM_CLOSED,
      [],
      [frame(DATA, END_STREAM, 1, "x"), frame(HEADERS, 5, 1, block(["x: y"]))],
    ],
    [
      "more bytes than its window",
      ErrorCode.FLOW_CONTROL_ERROR,
      [],
      Array.from({ length: 17 }, () => frame(DATA, 0, 1, Buffer.alloc(16_384))),
    ],
    [
      "a window of more than 2^31-1",
      ErrorCode.FLOW_CONTROL_ERROR,
      [],
      [numbers(WINDOW_UPDATE, 1, 0x7fff_ffff)],
    ],
  ])("an error in one stream, while others go on: %s", async (_what, code, lines, frames) => {
    onRequest = (client) => {
      if (!client.hasBody) answer(client, "other");
    };
    const client = await FrameClient.connect(port);
    client.send(client.head(1, { method: "POST", lines }), ...frames, client.head(3));
    expect(await client.reset(1)).toBe(code);
    await client.until(() => client.ended(3), "the other one");
    expect(served.map(({ gone }) => gone)).toEqual([1, 0]);
  });

  test("a malformed head: the others go on, with the same table", async () => {
    onRequest = (client) => answer(client, "other");
    const client = await FrameClient.connect(port);
    client.send(client.head(1, { lines: ["connection: close"] }));
    client.send(client.head(3, { lines: ["content-length: 3"] }), client.head(5));
    expect(await client.reset(1)).toBe(ErrorCode.PROTOCOL_ERROR);
    expect(await client.reset(3)).toBe(ErrorCode.PROTOCOL_ERROR);
    await client.until(() => client.ended(5), "the other one");
    expect(served).toHaveLength(1);
  });

  test("a stream that is broken off at its last bytes does not end well", async () => {
    let ends = 0;
    onRequest = (client) => client.read({ data: () => client.break(), end: () => ends++ });
    const client = await FrameClient.connect(port);
    client.send(client.head(1, { method: "POST" }), frame(DATA, END_STREAM, 1, "x"));
    expect(await client.reset(1)).toBe(ErrorCode.INTERNAL_ERROR);
    await client.settled();
    expect(ends).toBe(0);
  });

  test("a head beyond the limit is refused with its reason", async () => {
    const client = await FrameClient.connect(port);
    const large = block([
      ":method: GET",
      ":scheme: http",
      ":authority: example.com",
      ":path: /",
      ...Array.from({ length: 10 }, (_, i) => `x-${i}: ${"v".repeat(15_000)}`),
    ]);
    const parts = Array.from({ length: 10 }, (_, i) => large.subarray(i * 16_000, (i + 1) * 16_000));
    client.send(
      frame(HEADERS, END_STREAM, 1, parts[0]),
      ...parts.slice(1).map((part, i) => frame(CONTINUATION, i === 8 ? 4 : 0, 1, part)),
    );
    const { refusal } = await request(0);
    expect(refusal).toMatchObject({ status: 431 });
  });

  test("more streams than are allowed at once are refused, to be sent again", async () => {
    const client = await FrameClient.connect(port);
    client.send(...Array.from({ length: 257 }, (_, i) => client.head(2 * i + 1)));
    expect(await client.reset(513)).toBe(ErrorCode.REFUSED_STREAM);
    expect(served).toHaveLength(256);
    answer(served[0]!.client, "done");
    await client.until(() => client.ended(1), "the first");
    client.send(client.head(515));
    await request(256);
  });

  test("a fault of ours in one request: the others go on", async () => {
    const faults: unknown[] = [];
    const note = (error: unknown) => faults.push(error);
    const before = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException").on("uncaughtException", note);
    onRequest = (client) => {
      if (!client.header("x-fault")) return answer(client, "other");
      client.break();
      throw new Error("a fault");
    };
    const client = await FrameClient.connect(port);
    client.send(client.head(1, { lines: ["x-fault: 1"] }), client.head(3));
    await client.until(() => client.ended(3), "the other one");
    await client.until(() => faults.length > 0, "the fault");
    process.removeAllListeners("uncaughtException");
    for (const each of before) process.on("uncaughtException", each);
    expect(faults).toEqual([new Error("a fault")]);
    expect(await client.reset(1)).toBe(ErrorCode.INTERNAL_ERROR);
  });
});

describe("the connection", () => {
  test("begins with our settings and window", async () => {
    const client = await FrameClient.connect(port);
    const { payload } = await client.next(SETTINGS);
    const pairs = Array.from({ length: payload.length / 6 }, (_, i) => [
      payload.readUInt16BE(6 * i),
      payload.readUInt32BE(6 * i + 2),
    ]);
    expect(Object.fromEntries(pairs)).toEqual({ 3: 256, 4: 262_144, 6: 131_072, 8: 1 });
    expect((await client.next(WINDOW_UPDATE)).payload.readUInt32BE(0)).toBe(1_048_576 - 65_535);
  });

  test("a client that gives a stream up is told of once, and what waits for it is let go", async () => {
    let done = 0;
    onRequest = (client) => {
      client.respond(OK);
      client.write(Buffer.alloc(100_000), () => void done++);
      client.write(Buffer.alloc(100_000), () => void done++);
    };
    const client = await FrameClient.connect(port);
    client.send(client.head(1));
    await client.until(() => client.body(1).length === 65_535, "the window's fill");
    expect(done).toBe(0);
    client.send(numbers(RST_STREAM, 1, ErrorCode.CANCEL), numbers(RST_STREAM, 1, ErrorCode.CANCEL));
    await client.settled();
    expect({ done, gone: served[0]!.gone }).toEqual({ done: 2, gone: 1 });
    client.socket.destroy();
    await client.until(() => sockets[0]!.closed, "the end of the connection");
    expect(served[0]!.gone).toBe(1);
  });

  test("a client that disconnects gives all of them up", async () => {
    const client = await FrameClient.connect(port);
    client.send(client.head(1), client.head(3, { method: "POST" }));
    await request(1);
    client.socket.resetAndDestroy();
    await client.until(() => sockets[0]!.closed, "the end of the connection");
    expect(served.map(({ gone }) => gone)).toEqual([1, 1]);
  });

  test("a client that ends its side still gets its response, and then the end", async () => {
    const client = await FrameClient.connect(port);
    client.send(client.head(1));
    client.socket.end();
    const { client: stream, gone } = await request(0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(gone).toBe(0);
    answer(stream, "late");
    expect(await client.goAway()).toBe(ErrorCode.NO_ERROR);
    expect(`${client.body(1)}`).toBe("late");
  });

  test("a client that is gone looks like one that has ended its side, and is noticed", async () => {
    const client = await FrameClient.connect(port);
    client.send(client.head(1));
    await request(0);
    await client.settled();
    client.socket.destroy();
    await client.until(() => served[0]!.gone === 1, "word of it");
  });

  test("a client that goes away gets what it has asked for, and then the end", async () => {
    const client = await FrameClient.connect(port);
    client.send(client.head(1), numbers(GOAWAY, 0, 0, 0));
    const { client: stream } = await request(0);
    await client.settled();
    answer(stream, "late");
    expect(await client.goAway()).toBe(ErrorCode.NO_ERROR);
    expect(client.ended(1)).toBe(true);
  });

  test("a client that goes away may still send while it reads its last response", async () => {
    onRequest = (client) => answer(client, Buffer.alloc(100_000));
    const client = await FrameClient.connect(port, { first: OPEN });
    const errors: Error[] = [];
    client.socket.on("error", (error) => errors.push(error));
    client.send(client.head(1), numbers(GOAWAY, 0, 0, 0));
    await client.goAway();
    expect(client.body(1)).toHaveLength(100_000);
    for (let i = 0; i < 5; i++) {
      client.send(numbers(WINDOW_UPDATE, 0, 1));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    client.socket.end();
    await client.until(() => sockets[0]!.closed && client.socket.closed, "the end of the connection");
    expect(errors).toEqual([]);
  });

  test("an idle one is closed on request, a busy one is not", async () => {
    const [busy, idle] = await Promise.all([FrameClient.connect(port), FrameClient.connect(port)]);
    busy.send(busy.head(1));
    await request(0);
    await idle.settled();
    http2.closeIdleConnections();
    expect(await idle.goAway()).toBe(ErrorCode.NO_ERROR);
    answer(served[0]!.client, "done");
    await busy.until(() => busy.ended(1), "its response");
    expect(busy.closed).toBe(false);
  });

  test.each([
    ["HEADERS of a closed stream", ErrorCode.STREAM_CLOSED, [1, 1]],
    ["an even stream", ErrorCode.PROTOCOL_ERROR, [2]],
  ])("an error of the connection: %s", async (_what, code, streams) => {
    onRequest = (client) => answer(client, "x");
    const client = await FrameClient.connect(port);
    for (const stream of streams) client.send(client.head(stream));
    expect(await client.goAway()).toBe(code);
  });

  test.each([
    ["DATA of a stream that has not begun", frame(DATA, 0, 1, "x"), ErrorCode.PROTOCOL_ERROR],
    ["RST_STREAM of one", numbers(RST_STREAM, 1, 8), ErrorCode.PROTOCOL_ERROR],
    ["WINDOW_UPDATE of one", numbers(WINDOW_UPDATE, 1, 8), ErrorCode.PROTOCOL_ERROR],
    ["a window of more than 2^31-1", numbers(WINDOW_UPDATE, 0, 0x7fff_ffff), ErrorCode.FLOW_CONTROL_ERROR],
    [
      "a header block beyond its tables",
      frame(HEADERS, END_HEADERS, 1, Buffer.from([0xbe])),
      ErrorCode.COMPRESSION_ERROR,
    ],
  ])("an error of the connection: %s", async (_what, bytes, code) => {
    const client = await FrameClient.connect(port);
    client.send(bytes);
    expect(await client.goAway()).toBe(code);
    expect(served).toHaveLength(0);
  });

  test("a window of all streams that one setting makes too large", async () => {
    const client = await FrameClient.connect(port);
    client.send(
      client.head(1),
      numbers(WINDOW_UPDATE, 1, 1_000_000),
      settings([Setting.INITIAL_WINDOW_SIZE, 0x7fff_ffff]),
    );
    expect(await client.goAway()).toBe(ErrorCode.FLOW_CONTROL_ERROR);
    expect(served[0]!.gone).toBe(1);
  });

  test("bytes of more than the connection's window", async () => {
    const client = await FrameClient.connect(port);
    for (let stream = 1; stream < 11; stream += 2) {
      client.send(client.head(stream, { method: "POST" }));
      for (let i = 0; i < 16; i++) client.send(frame(DATA, 0, stream, Buffer.alloc(16_384)));
    }
    expect(await client.goAway()).toBe(ErrorCode.FLOW_CONTROL_ERROR);
  });
});

test("a PING for each frame of DATA is no flood", async () => {
  const frames = 15_000;
  onRequest = (client) => {
    client.respond(OK);
    for (let i = 0; i < frames; i++) client.write(Buffer.from("x"), () => {});
  };
  const client = await FrameClient.connect(port);
  client.send(client.head(1));
  await client.until(() => client.body(1).length === frames, "the response");
  client.send(...Array.from({ length: frames }, () => frame(PING, 0, 0, "measure!")));
  await client.settled();
  await client.until(() => client.frames.filter(({ type }) => type === PING).length > frames, "all answers");
  expect(client.closed).toBe(false);
});

describe("floods end with the connection", () => {
  test.each([
    ["PING", () => frame(PING, 0, 0, "12345678")],
    ["PING that answers nothing", () => frame(PING, 1, 0, "12345678")],
    ["SETTINGS", () => settings([Setting.INITIAL_WINDOW_SIZE, 1])],
    ["PRIORITY", () => frame(PRIORITY, 0, 1, "\0\0\0\0\0")],
    ["empty DATA", () => frame(DATA, 0, 1)],
    ["padding alone", () => frame(DATA, PADDED, 1, "\x01\0")],
    ["an extension's frames", () => frame(0xee, 0, 0)],
  ])("%s", async (_what, make) => {
    const client = await FrameClient.connect(port);
    client.send(client.head(1, { method: "POST" }));
    // A client that floods reads nothing.
    for (let i = 0; i < 300 && !client.closed; i++) {
      client.send(...Array.from({ length: 100 }, make));
      await new Promise(setImmediate);
    }
    expect(await client.goAway()).toBe(ErrorCode.ENHANCE_YOUR_CALM);
    expect(served.map(({ gone }) => gone)).toEqual([1]);
  });

  test.each([
    // CVE-2023-44487
    [
      "streams that are given up at once",
      (stream: number) => [numbers(RST_STREAM, stream, ErrorCode.CANCEL)],
    ],
    // CVE-2025-8671
    [
      "streams that we are made to reset, by a window",
      (stream: number) => [numbers(WINDOW_UPDATE, stream, 0)],
    ],
    [
      "streams that we are made to reset, by a length",
      (stream: number) => [frame(DATA, END_STREAM, stream, "x")],
    ],
    ["streams that we are made to reset, by PRIORITY", (stream: number) => [frame(PRIORITY, 0, stream, "1")]],
  ])("%s", async (_what, after) => {
    const client = await FrameClient.connect(port);
    for (let i = 0; i < 3_000 && !client.closed; i++) {
      const stream = 2 * i + 1;
      client.send(client.head(stream, { method: "POST", lines: ["content-length: 2"] }), ...after(stream));
      if (i % 50 === 0) await new Promise(setImmediate);
    }
    expect(await client.goAway()).toBe(ErrorCode.ENHANCE_YOUR_CALM);
    expect(served.length).toBeLessThan(1_200);
    expect(served.every(({ gone }) => gone === 1)).toBe(true);
  });

  test("malformed heads", async () => {
    const client = await FrameClient.connect(port);
    for (let i = 0; i < 3_000 && !client.closed; i++) {
      client.send(client.head(2 * i + 1, { lines: ["te: x"] }));
      if (i % 50 === 0) await new Promise(setImmediate);
    }
    expect(await client.goAway()).toBe(ErrorCode.ENHANCE_YOUR_CALM);
  });

  // CVE-2024-27316
  test("header blocks without an end", async () => {
    const client = await FrameClient.connect(port);
    client.send(frame(HEADERS, 0, 1, block([":method: GET"])));
    for (let i = 0; i < 200; i++) client.send(frame(CONTINUATION, 0, 1, block([`x-${i}: y`])));
    expect(await client.goAway()).toBe(ErrorCode.ENHANCE_YOUR_CALM);
  });

  test("a block of 16 KB that would be 64 MB", async () => {
    const client = await FrameClient.connect(port);
    client.send(client.head(1));
    const value = "v".repeat(4_000);
    // Indexed, and then named 16,000 times.
    const bomb = Buffer.concat([
      Buffer.from([0x40]),
      block([`a: ${value}`]).subarray(1),
      Buffer.alloc(12_000, 0xbe),
    ]);
    const pseudo = block([":method: GET", ":scheme: http", ":authority: example.com", ":path: /"]);
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 3, Buffer.concat([pseudo, bomb])));
    const { client: stream, refusal } = await request(1);
    expect(refusal).toMatchObject({ status: 431 });
    expect(stream.fields.raw.length).toBeLessThan(100);
  });

  test("a client that reads nothing is heard no further, and holds little", async () => {
    onRequest = (client) => client.respond({ ...OK, headers: ["X", "x".repeat(10_000)], hasBody: false });
    const client = await FrameClient.connect(port);
    await client.settled();
    client.socket.pause();
    let requests = 0;
    const drained = () => new Promise((resolve) => client.socket.once("drain", resolve));
    for (let i = 0; i < 500; i++) {
      const heads = Array.from({ length: 100 }, () =>
        client.head(2 * requests++ + 1, { lines: [`x: ${"y".repeat(200)}`] }),
      );
      client.send(...heads);
      if (client.socket.writableNeedDrain)
        await Promise.race([drained(), new Promise((resolve) => setTimeout(resolve, 300))]);
      if (sockets[0]!.isPaused()) break;
    }
    expect(sockets[0]!.isPaused()).toBe(true);
    const heard = served.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(served.length).toBe(heard);
    // Reading, it gets all of it.
    client.socket.resume();
    await client.until(() => client.ended(2 * requests - 1), "the last response");
    expect(served.length).toBe(requests);
  });
});
