/** Clients that have ended their side of an HTTP/1 connection: they get the response to their request, unless they have gone. */
import type { Socket } from "node:net";

/** When the first bytes are sent, each in milliseconds from the one before it. */
const PROBES_MS = [0, 20, 200];
/** When those after them are; and how long a response without a place for such a byte may pause. */
const PAUSE_MS = 5_000;

/** A response whose client has ended its side. */
export interface HalfClosedResponse {
  readonly responded: boolean;
  readonly ended: boolean;
  /** True where no byte can be sent without saying something. */
  readonly hasNoPlace: boolean;
  /** A byte that the response may begin or go on with without saying anything, which is taken for sent; "" without a place. */
  takeByte(): string;
}

/**
 * A client that only has nothing more to say and one that has gone look alike until something is sent to them: the system of
 * one that has gone answers with a reset, which the next write meets. So some bytes that come anyway are sent before the others.
 */
export function probeHalfClosed(socket: Socket, response: HalfClosedResponse, count = 0): void {
  const written = socket.bytesWritten;
  const next = () => {
    if (response.ended || !socket.writable) return;
    // Of a chunk's size recipients take a few digits only.
    if (count < PROBES_MS.length || !response.responded) socket.write(response.takeByte(), "latin1");
    else if (response.hasNoPlace && socket.writableLength === 0 && socket.bytesWritten === written)
      return void socket.destroy();
    probeHalfClosed(socket, response, count + 1);
  };
  const delay = PROBES_MS[count] ?? PAUSE_MS;
  if (delay === 0) next();
  else setTimeout(next, delay).unref();
}
