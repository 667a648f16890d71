// What web, api and auth have in common: which copy this is, where it listens, how it answers and how it ends.
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { PORTS } from "./ports.mjs";

/** How long open answers and sockets may take to end by themselves when the copy is told to stop. */
const GRACE_MS = 500;

/**
 * Runs one copy of a service until SIGTERM or SIGINT, and prints one line when it can be reached.
 * `--copy local|remote` (or COPY) says which copy it plays, `--port N` (or PORT) where; 0 takes any free port.
 *
 * @param {string} name web, api or auth
 * @param {(request, response, copy: "local" | "remote") => unknown} handle answers a request; may be async
 * @param {{upgrade?: (request, socket, head, copy) => void, stop?: () => void, destroy?: () => void}} [sockets]
 *   for a service with WebSockets: accept one, ask all to close, cut all off
 */
export async function serve(name, handle, sockets = {}) {
  const { copy, port } = readOptions(name);
  // A remote copy plays a machine elsewhere and has one address. A local copy is what a developer's own
  // server is: on "localhost", which is 127.0.0.1 for some clients and ::1 for others.
  const hosts = copy === "local" ? ["127.0.0.1", "::1"] : ["127.0.0.1"];
  const servers = await listen(hosts, port, () => createCopy(name, copy, handle, sockets)).catch((error) =>
    fail(`${name} (${copy}): ${explainListenError(error, port)}`),
  );

  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    if (process.connected) process.disconnect(); // an open channel to start.mjs would keep this process alive
    sockets.stop?.();
    for (const server of servers) server.close();
    // The process ends by itself once nothing is open any more; what is left after the grace is cut off.
    setTimeout(() => {
      sockets.destroy?.();
      for (const server of servers) server.closeAllConnections();
    }, GRACE_MS).unref();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("disconnect", stop); // start.mjs is gone, however it went

  const host = copy === "local" ? "localhost" : "127.0.0.1";
  console.log(`${name} (${copy}) listening on http://${host}:${servers[0].address().port}`);
}

/** Answers with JSON. Nothing here may be cached: the next answer can be another copy's. */
export function sendJson(response, status, body, headers = {}) {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
  response.end(`${JSON.stringify(body, null, 2)}\n`);
}

/** The path of a request, without its query. */
export function pathOf(request) {
  return request.url.split("?")[0];
}

function createCopy(name, copy, handle, { upgrade }) {
  const server = createServer(async (request, response) => {
    response.setHeader("x-served-by", name);
    response.setHeader("x-copy", copy);
    response.setHeader("cache-control", "no-store");
    try {
      if (pathOf(request) === "/healthz") sendJson(response, 200, { service: name, copy, healthy: true });
      else await handle(request, response, copy);
    } catch (error) {
      console.error(`${name} (${copy}): ${request.method} ${request.url} failed:`, error);
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { service: name, copy, error: error.message });
    }
  });
  // Longer than proxies keep their idle connections, so that it is they who close them.
  server.keepAliveTimeout = 75_000;
  if (upgrade) server.on("upgrade", (request, socket, head) => upgrade(request, socket, head, copy));
  return server;
}

/** One server per host, all on the same port; hosts that this machine does not have are left out. */
async function listen(hosts, port, create) {
  for (let attempt = 1; ; attempt++) {
    const servers = [];
    try {
      for (const host of hosts) {
        const server = await listenOn(create(), host, servers[0]?.address().port ?? port);
        if (server) servers.push(server);
      }
      return servers;
    } catch (error) {
      for (const server of servers) server.close();
      // A port that was free on 127.0.0.1 can be taken on ::1. With port 0 another will do.
      if (port !== 0 || error.code !== "EADDRINUSE" || attempt === 10) throw error;
    }
  }
}

function listenOn(server, host, port) {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const noSuchHost = host === "::1" && ["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(error.code);
      if (noSuchHost) resolve(undefined);
      else reject(error);
    });
    server.listen(port, host, () => resolve(server));
  });
}

function explainListenError(error, port) {
  if (error.code === "EADDRINUSE")
    return `port ${port} of ${error.address} is taken by another program. End that one, or choose another port (--port, or --ports of start.mjs).`;
  if (error.code === "EACCES") return `this user may not listen on port ${port}. Choose one above 1023.`;
  return error.message;
}

function readOptions(name) {
  let values;
  try {
    ({ values } = parseArgs({ options: { copy: { type: "string" }, port: { type: "string" } } }));
  } catch (error) {
    fail(error.message);
  }
  const copy = values.copy ?? process.env.COPY;
  if (copy !== "local" && copy !== "remote")
    fail(`${name}: say which copy this is, --copy local or --copy remote (or the variable COPY).`);
  const port = Number(values.port ?? process.env.PORT ?? PORTS[copy][name]);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    fail(
      `${name}: the port is a number from 0 (any free one) to 65535, not "${values.port ?? process.env.PORT}".`,
    );
  return { copy, port };
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
