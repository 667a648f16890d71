/**
 * Headers that belong to one connection (RFC 9110, 7.6.1). workerd itself drops those that its HTTP knows:
 * Connection, Keep-Alive, TE, Trailer, Transfer-Encoding, and every Upgrade but that to a WebSocket.
 */
const LEFT_IN_REQUESTS = ["proxy-authorization", "proxy-connection"];
const LEFT_IN_RESPONSES = ["proxy-authenticate"];
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

export function deleteHopByHop(headers: Headers, of: "request" | "response"): void {
  for (const name of of === "request" ? LEFT_IN_REQUESTS : LEFT_IN_RESPONSES) headers.delete(name);
  const connection = headers.get("connection");
  if (connection === null || connection === "keep-alive") return;
  for (const listed of connection.split(",")) {
    const name = listed.trim().toLowerCase();
    // "Upgrade" is listed for every WebSocket.
    if (TOKEN.test(name) && name !== "upgrade") headers.delete(name);
  }
}
