/**
 * A dev server as Vite is one: a page whose script imports 3,000 modules, each of which the browser asks about again at a
 * reload (`no-cache` with an ETag), and a bundle of 50 MB. A process of its own, which sends its ports: over HTTP, and over
 * TLS with HTTP/2. Its arguments are the files of a certificate and its key. To any message it answers how often it has said 304.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";

const MODULES = 3_000;
/** How many modules each one imports. */
const IMPORTS = 8;
const BUNDLE = Buffer.from(`/*${"x".repeat(50 * 1024 * 1024)}*/window.finished?.();`);
const PAGE = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/module/0"></script>';
const BUNDLE_PAGE = '<!doctype html><link rel="icon" href="data:,"><script src="/bundle"></script>';
/** The sizes of modules: a few lines to some hundred. */
const FILLERS = [500, 1_500, 4_000, 12_000].map((bytes) => `// ${"x".repeat(bytes)}\n`);

function moduleText(number: number): string {
  const children = Array.from({ length: IMPORTS }, (_, index) => number * IMPORTS + index + 1);
  const imports = children.filter((child) => child < MODULES).map((child) => `import "/module/${child}";\n`);
  // Modules run after what they import: the first one is the last to run.
  const end = number === 0 ? "window.finished?.();\n" : "";
  return imports.join("") + FILLERS[number % FILLERS.length] + end;
}

/** Responses 304 so far. */
let notModified = 0;

function answer(request: IncomingMessage, response: ServerResponse): void {
  const [, kind, number] = request.url!.split("/");
  if (kind === "module" || kind === "bundle") {
    const etag = `W/"${kind}-${number}"`;
    response.setHeader("etag", etag);
    response.setHeader("cache-control", "no-cache");
    if (request.headers["if-none-match"] === etag) {
      notModified++;
      return void response.writeHead(304).end();
    }
    response.setHeader("content-type", "text/javascript");
    return void response.end(kind === "module" ? moduleText(Number(number)) : BUNDLE);
  }
  response.setHeader("content-type", "text/html");
  response.end(kind === "bundle.html" ? BUNDLE_PAGE : PAGE);
}

const server = createServer(answer);
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1");
const [cert, key] = process.argv.slice(2).map((file) => readFileSync(file));
// As of HTTP/1.1, a request and its response.
const secure = createSecureServer({ cert, key }, answer as never);
secure.listen(0, "127.0.0.1");
await Promise.all([once(server, "listening"), once(secure, "listening")]);
process.send!([server, secure].map((each) => (each.address() as AddressInfo).port));
process.on("message", () => process.send!(notModified));
process.on("disconnect", () => process.exit(0));
