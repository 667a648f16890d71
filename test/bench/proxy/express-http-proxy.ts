/** `node express-http-proxy.ts PORT UPSTREAM CERTIFICATE KEY` */
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { createServer } from "node:https";
import express from "express";
import httpProxy from "http-proxy";

const [port, upstream, certificate, key] = process.argv.slice(2) as [string, string, string, string];
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${upstream}`,
  agent: new Agent({ keepAlive: true }),
});
const app = express();
app.use((request, response) => proxy.web(request, response));
createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, app).listen(
  Number(port),
  "127.0.0.1",
);
