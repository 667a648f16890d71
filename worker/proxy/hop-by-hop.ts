/**
 * Hop-by-hop headers (RFC 9110, 7.6.1). workerd itself removes Connection, Keep-Alive, TE, Trailer,
 * Transfer-Encoding, and every Upgrade but that to a WebSocket.
 */
import type { ChangedHeaders } from "./recorded-headers.ts";

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** For a header that most messages do not have: workerd takes twice as long to delete it as to tell that it is not there. */
export function deletePresent(headers: ChangedHeaders, name: string): void {
  if (headers.has(name)) headers.delete(name);
}

export function deleteRequestHopByHop(headers: ChangedHeaders): void {
  deletePresent(headers, "proxy-authorization");
  deletePresent(headers, "proxy-connection");
  deleteListedByConnection(headers);
}

export function deleteResponseHopByHop(headers: ChangedHeaders, status: number): void {
  if (status === 407) headers.delete("proxy-authenticate");
  deleteListedByConnection(headers);
}

function deleteListedByConnection(headers: ChangedHeaders): void {
  const connection = headers.get("connection");
  if (connection === null || connection === "keep-alive") return;
  for (const listed of connection.split(",")) {
    const name = listed.trim().toLowerCase();
    // Every WebSocket handshake lists "Upgrade".
    if (TOKEN.test(name) && name !== "upgrade") headers.delete(name);
  }
}
