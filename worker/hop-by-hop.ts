/**
 * Headers that belong to one connection (RFC 9110, 7.6.1). workerd itself drops those that its HTTP knows:
 * Connection, Keep-Alive, TE, Trailer, Transfer-Encoding, and every Upgrade but that to a WebSocket.
 */
const LEFT_BY_WORKERD = ["proxy-authenticate", "proxy-authorization", "proxy-connection"];
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

export function deleteHopByHop(headers: Headers): void {
  for (const name of LEFT_BY_WORKERD) headers.delete(name);
  const connection = headers.get("connection");
  if (connection === null || connection === "keep-alive") return;
  for (const listed of connection.split(",")) {
    const name = listed.trim().toLowerCase();
    // "Upgrade" is listed for every WebSocket.
    if (TOKEN.test(name) && name !== "upgrade") headers.delete(name);
  }
}
