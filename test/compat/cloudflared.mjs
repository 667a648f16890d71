// Stands for cloudflared and Cloudflare together: says what Linkup waits for, and serves, at an address of this machine
// which the tunnel's id names, what comes for the origin that its configuration names.
import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect } from "node:net";

if (process.argv[2] === "--version") {
  console.log("cloudflared version 2026.8.2 (built 2026-08-20T10:00:00Z)");
  process.exit(0);
}
const config = readFileSync(process.argv[process.argv.indexOf("--config") + 1], "utf8");
const origin = new URL(/service: (\S+)/.exec(config)[1]);
const token = JSON.parse(Buffer.from(process.env.TUNNEL_TOKEN, "base64").toString("utf8"));
const [, port] = /^on-port-(\d+)$/.exec(token.t);
const say = (message) =>
  process.stderr.write(`${JSON.stringify({ level: "info", message, time: new Date().toISOString() })}\n`);

const tunnel = createServer((incoming, response) => {
  const { method, url, rawHeaders } = incoming;
  const call = request({
    host: origin.hostname,
    port: origin.port,
    method,
    path: url,
    headers: rawHeaders,
    agent: false,
  });
  call.on("response", (answer) => {
    response.writeHead(answer.statusCode, answer.rawHeaders);
    answer.pipe(response);
  });
  call.on("error", () => response.writeHead(502).end());
  incoming.pipe(call);
});
tunnel.on("upgrade", ({ url, rawHeaders }, socket) => {
  const upstream = connect(Number(origin.port), origin.hostname, () => {
    const lines = rawHeaders.reduce((text, part, i) => text + part + (i % 2 ? "\r\n" : ": "), "");
    upstream.write(`GET ${url} HTTP/1.1\r\n${lines}\r\n`);
    upstream.pipe(socket).pipe(upstream);
  });
  for (const end of [upstream, socket]) end.on("error", () => end.destroy());
});
tunnel.listen(Number(port), "127.0.0.1", () => say("Registered tunnel connection"));

const metrics = createServer((_, response) => {
  const ready = tunnel.listening;
  response
    .writeHead(ready ? 200 : 503)
    .end(JSON.stringify({ status: ready ? 200 : 503, readyConnections: ready ? 4 : 0 }));
});
metrics.listen(0, "127.0.0.1", () => {
  say(`Starting metrics server on 127.0.0.1:${metrics.address().port}/metrics`);
});
process.on("SIGTERM", () => process.exit(0));
