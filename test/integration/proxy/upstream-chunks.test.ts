import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { HeaderLines } from "../../../local-server/http/fields.ts";
import { Http1Connection } from "../../../local-server/upstream/http1-connection.ts";
import type { ResponseHandler } from "../../../local-server/upstream/upstream-stream.ts";

/** A service's socket: what each write to the system has. */
class Sink extends Duplex {
  readonly writes: string[] = [];

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.writes.push(chunk.toString());
    done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.writes.push(Buffer.concat(chunks.map(({ chunk }) => chunk)).toString());
    done();
  }
}

test("a chunk of a request's body is one write to the system, with its size and its end", () => {
  const sink = new Sink();
  const connection = new Http1Connection(sink as unknown as Socket, () => {});
  const request = {
    origin: "http://localhost:1",
    h2c: false,
    method: "POST",
    target: "/",
    host: "localhost:1",
    lines: new HeaderLines([]),
    traceparent: undefined,
    hop: undefined,
    acceptsTrailers: false,
    trailer: undefined,
    upgrade: undefined,
    body: "chunked",
  } as const;
  connection.request(request, {} as ResponseHandler);
  connection.write(Buffer.from("0123456789"));
  connection.write(Buffer.from("abc"));
  connection.finish([]);
  expect(sink.writes.slice(1)).toEqual(["a\r\n0123456789\r\n", "3\r\nabc\r\n", "0\r\n\r\n"]);
});
