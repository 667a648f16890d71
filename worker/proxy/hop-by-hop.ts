/**
 * Hop-by-hop headers (RFC 9110, 7.6.1). workerd itself removes Connection, Keep-Alive, TE, Trailer,
 * Transfer-Encoding, and every Upgrade but that to a WebSocket.
 */
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

export function deleteRequestHopByHop(headers: Headers): void {
  headers.delete("proxy-authorization");
  headers.delete("proxy-connection");
  deleteListedByConnection(headers);
}

export function deleteResponseHopByHop(headers: Headers, status: number): void {
  if (status === 407) headers.delete("proxy-authenticate");
  deleteListedByConnection(headers);
}

function deleteListedByConnection(headers: Headers): void {
  const connection = headers.get("connection");
  if (connection === null || connection === "keep-alive") return;
  for (const listed of connection.split(",")) {
    const name = listed.trim().toLowerCase();
    // Every WebSocket handshake lists "Upgrade".
    if (TOKEN.test(name) && name !== "upgrade") headers.delete(name);
  }
}
