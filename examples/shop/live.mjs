// api's WebSocket: which copy is at the other end, once a second, and an echo of whatever is said.
import { WebSocketServer } from "ws";
import { pathOf } from "./service.mjs";

const PROTOCOL = "shop.v1";
const PATHS = ["/live", "/api/live"];
const INTERVAL_MS = 1000;

const live = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
});
live.on("headers", (headers, request) => {
  headers.push("x-served-by: api", `x-copy: ${request.copy}`);
});

/** Takes over a connection that asks to become a WebSocket. */
export function acceptLive(request, socket, head, copy) {
  if (!PATHS.includes(pathOf(request))) {
    const body = `api has no WebSocket at ${pathOf(request)}, only at ${PATHS.join(" and ")}\n`;
    socket.end(
      `HTTP/1.1 404 Not Found\r\nx-served-by: api\r\nx-copy: ${copy}\r\nconnection: close\r\n` +
        `content-type: text/plain\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    return;
  }
  request.copy = copy;
  live.handleUpgrade(request, socket, head, (client) => {
    let n = 0;
    const tell = () => client.send(JSON.stringify({ service: "api", copy, n: ++n }));
    tell();
    const timer = setInterval(tell, INTERVAL_MS);
    client.on("message", (data, isBinary) => client.send(data, { binary: isBinary }));
    client.on("error", (error) => console.error(`api (${copy}): WebSocket ended: ${error.message}`));
    client.on("close", () => clearInterval(timer));
  });
}

/** Says goodbye to everyone: 1001, "going away". */
export function closeLive() {
  for (const client of live.clients) client.close(1001, "api stops");
}

/** Cuts off those who did not answer the goodbye. */
export function destroyLive() {
  for (const client of live.clients) client.terminate();
}
