/** Clients that have ended their side of an HTTP/1 connection: they get the response to their request, unless they have gone. */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { currentResponse } from "../node-internals.ts";

/** When the first bytes are sent, each in milliseconds from the one before it. */
const PROBES_MS = [0, 20, 200];
/** When those after them are; and how long a response without a place for such a byte may pause. */
const PAUSE_MS = 5_000;
/** What each response begins with. */
const BEGINNING = "HTTP/1.1 ";

/** How much of `BEGINNING` was sent ahead of a response. */
const ahead = new WeakMap<ServerResponse, number>();

/**
 * To be called at a connection's `end`, after node:http. A client that only has nothing more to say and one that has gone look
 * alike until something is sent to them: the system of one that has gone answers with a reset, which the next write meets. So
 * some bytes that come anyway are sent before the others.
 */
export function probeHalfClosed(this: Socket): void {
  probe(this, 0);
}

function probe(socket: Socket, count: number): void {
  const written = socket.bytesWritten;
  const next = () => {
    const response = currentResponse(socket);
    if (!response || !socket.writable) return;
    // Of a chunk's size recipients take a few digits only.
    const byte = count < PROBES_MS.length || !response.headersSent ? nextByte(response) : "";
    if (byte !== "") socket.write(byte, "latin1");
    if (count >= PROBES_MS.length && isPausing(socket, response, written)) socket.destroy();
    else probe(socket, count + 1);
  };
  const delay = PROBES_MS[count] ?? PAUSE_MS;
  if (delay === 0) next();
  else setTimeout(next, delay).unref();
}

/** A byte that a response may send now without saying anything; none where it has no such place. */
function nextByte(response: ServerResponse): string {
  if (!response.headersSent) {
    const sent = ahead.get(response) ?? 0;
    ahead.set(response, Math.min(sent + 1, BEGINNING.length));
    return BEGINNING.charAt(sent);
  }
  if (!response.chunkedEncoding || response.writableEnded) return "";
  response.flushHeaders();
  // The size of the next chunk may have leading zeros.
  return "0";
}

/** Nothing was sent since then (`bytesWritten`), though the client has taken all of it, and nothing could be sent to try. */
function isPausing(socket: Socket, response: ServerResponse, written: number): boolean {
  const hasPlace = !response.headersSent || response.chunkedEncoding;
  return !hasPlace && socket.writableLength === 0 && socket.bytesWritten === written;
}

/** How many bytes of the next status line were sent ahead of it. From here on it is taken for sent. */
export function takeAhead(response: ServerResponse): number {
  const sent = ahead.get(response);
  if (sent === undefined) return 0;
  ahead.delete(response);
  return sent;
}
