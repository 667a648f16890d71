/**
 * What Node itself costs: servers that do less than any proxy must.
 *   node node-floor.ts bytes|http|http2 PORT UPSTREAM CERTIFICATE KEY
 * `bytes`: TLS in front, and the bytes of each connection carried to a connection of its own, unread. `http` and `http2`: Node's
 * servers, which answer from memory, with nothing behind them.
 */
import { readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { createServer } from "node:tls";
import { ServiceSocket } from "../../../local-server/upstream/service-socket.ts";

const [kind, port, upstream, certificate, key] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
const credentials = { cert: readFileSync(certificate), key: readFileSync(key) };
const sizes: Record<string, number> = { "/1k": 1000, "/20k": 20_000, "/64k": 65_536, "/20m": 20_000_000 };
const bodies = Object.fromEntries(
  Object.entries(sizes).map(([path, size]) => [path, Buffer.alloc(size, "x")]),
);
const head = (path: string) => ({
  server: "nginx/1.22.1",
  date: new Date().toUTCString(),
  "content-type": "text/plain",
  "content-length": String(sizes[path]),
  "last-modified": "Sun, 29 Nov 2026 12:00:00 GMT",
  etag: '"656728e0-3e8"',
  "accept-ranges": "bytes",
});

if (kind === "bytes")
  createServer({ ...credentials, ALPNProtocols: ["http/1.1"] }, (client) => {
    const service = new ServiceSocket();
    service.takeBytes = (bytes, release) => {
      if (!client.write(bytes, release)) service.pause();
    };
    client.on("drain", () => service.resume());
    client.setNoDelay();
    service.connect(Number(upstream), "127.0.0.1");
    service.setNoDelay();
    client.on("data", (chunk) => service.write(chunk));
    client.on("error", () => service.destroy()).on("close", () => service.destroy());
    service.on("error", () => client.destroy()).on("close", () => client.destroy());
  }).listen(Number(port), "127.0.0.1");
else if (kind === "http")
  createHttpsServer({ ...credentials, noDelay: true }, (request, response) => {
    response.sendDate = false;
    response.writeHead(200, "OK", Object.entries(head(request.url!)).flat());
    response.end(bodies[request.url!]);
  }).listen(Number(port), "127.0.0.1");
else
  createSecureServer({ ...credentials, settings: { maxConcurrentStreams: 256 }, maxSessionMemory: 1000 })
    .on("session", (session) => session.setLocalWindowSize(1 << 20))
    .on("stream", (stream, headers) => {
      const path = headers[":path"]!;
      stream.respond({ ":status": 200, ...head(path) });
      stream.end(bodies[path]);
    })
    .listen(Number(port), "127.0.0.1");
