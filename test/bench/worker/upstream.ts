/** The service behind the Workers, a process of its own: answers every request as a server of static files would, and WebSockets with an echo. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

/** A file of a page: most are about as large. */
const body = Buffer.alloc(20_000, "x");
const server = createServer((_, response) => {
  response.writeHead(200, {
    "content-type": "application/javascript; charset=utf-8",
    "content-length": body.length,
    etag: '"65f0a1b2-4e20"',
    "last-modified": "Tue, 12 Mar 2024 18:42:26 GMT",
    "cache-control": "public, max-age=3600",
    "accept-ranges": "bytes",
    vary: "Accept-Encoding",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
  });
  response.end(body);
});
server.keepAliveTimeout = 0;
new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket) =>
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })),
);
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit());
