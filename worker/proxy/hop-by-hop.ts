/**
 * Headers that belong to one connection (RFC 9110, 7.6.1). workerd itself drops those that its HTTP knows:
 * Connection, Keep-Alive, TE, Trailer, Transfer-Encoding, and every Upgrade but that to a WebSocket.
 */
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

export function deleteHopByHopOfRequest(headers: Headers): void {
  headers.delete("proxy-authorization");
  headers.delete("proxy-connection");
  deleteListed(headers);
}

export function deleteHopByHopOfResponse(headers: Headers, status: number): void {
  if (status === 407) headers.delete("proxy-authenticate");
  deleteListed(headers);
}

function deleteListed(headers: Headers): void {
  const connection = headers.get("connection");
  if (connection === null || connection === "keep-alive") return;
  for (const listed of connection.split(",")) {
    const name = listed.trim().toLowerCase();
    // "Upgrade" is listed for every WebSocket.
    if (TOKEN.test(name) && name !== "upgrade") headers.delete(name);
  }
}
