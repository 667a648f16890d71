// Behaves as cloudflared does as far as Linkup relies on it: flags, log lines, exit codes, `/ready`, signals,
// and the real way for requests from an edge (edge.ts) to the origin, byte for byte. Its faults are switched by a JSON file that
// CLOUDFLARED_FAULTS names, read again at every use:
//   {"exit": "token" | "usage" | "offline"}   ends at once, as the real one does then
//   {"ready": 503}                            alive, and not ready
//   {"deaf": true}                            ready, and requests get lost
//   {"chatter": 1000}                         says so many lines with its token whenever it is asked for /ready
//   {"quic": "blocked"}                       connects by http2 only
// What the edge refuses it is told by the edge. WebSockets come as the real one gets them: a request with a header of
// the edge's, answered with 200 in place of 101.
import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import http2 from "node:http2";
import { connect } from "node:tls";
import { parseArgs } from "node:util";
import {
  bootstrap,
  call,
  Method,
  messageReader,
  RESPONSE_HEADERS,
  serializeHeaders,
  UPGRADE,
} from "./tunnel-rpc.ts";

const RETRY_MS = 500;

const faults = () => {
  try {
    return JSON.parse(readFileSync(process.env.CLOUDFLARED_FAULTS, "utf8"));
  } catch {
    return {};
  }
};

const say = (level, message, more = {}) =>
  process.stderr.write(`${JSON.stringify({ level, message, time: new Date().toISOString(), ...more })}\n`);

/** The real one prints these as plain text, whatever `--output` says. */
function end(code, text) {
  process.stderr.write(`${text}\n`);
  process.exit(code);
}

if (process.argv[2] === "--version") {
  console.log("cloudflared version 2026.8.2 (built 2026-08-20T10:00:00Z)");
  process.exit(0);
}
const options = readOptions();
const token = readToken();
const service = /^ *- service: (\S+)$/m.exec(readFileSync(options.config, "utf8"))?.[1];
if (!service)
  end(1, "The last ingress rule must match all URLs (i.e. it should not have a hostname or path filter)");
if (faults().exit === "offline") {
  say("error", "Error looking up Cloudflare edge IPs: the DNS query failed", {
    error: "lookup _v2-origintunneld._tcp.argotunnel.com: no such host",
  });
  end(1, "Could not lookup srv records on _v2-origintunneld._tcp.argotunnel.com: no such host");
}

// Nobody reads what it says any more: the real one is ended by SIGPIPE then, at its next line.
process.stderr.on("error", () => process.exit(141));

let connections = 0;
let wasRegistered = false;
let stopping = false;
/** Tells the edge that no more requests are wanted. */
let unregister = () => {};
/** Requests under way. */
let inFlight = 0;
serveMetrics();
connectToEdge();
process.on("SIGTERM", stop);
process.on("SIGINT", stop);

function readOptions() {
  const known = {
    "no-autoupdate": { type: "boolean" },
    output: { type: "string" },
    loglevel: { type: "string" },
    metrics: { type: "string" },
    "grace-period": { type: "string" },
    retries: { type: "string" },
    protocol: { type: "string" },
    config: { type: "string" },
  };
  try {
    if (faults().exit === "usage") throw new Error("flag provided but not defined: -config");
    const { values, positionals } = parseArgs({ options: known, allowPositionals: true });
    if (positionals.join(" ") !== "tunnel run") throw new Error(`unknown command: ${positionals.join(" ")}`);
    // Flags of `tunnel` are none of `run`, but these two are both's.
    const late = process.argv.slice(process.argv.indexOf("run") + 1).filter((word) => word.startsWith("--"));
    const wrong = late.find((word) => !/^--(protocol|config)(=|$)/.test(word));
    if (wrong) throw new Error(`flag provided but not defined: ${wrong.slice(1)}`);
    return values;
  } catch (error) {
    console.log(
      `Incorrect Usage. ${error.message}\n\nNAME:\n   cloudflared - Cloudflare's command-line tool`,
    );
    process.exit(0);
  }
}

function readToken() {
  if (!process.env.TUNNEL_TOKEN)
    end(
      255,
      '"cloudflared tunnel run" requires the ID or name of the tunnel to run as the last command line argument or in the configuration file.',
    );
  try {
    if (faults().exit === "token") throw new Error("as asked for");
    const { a, s, t } = JSON.parse(Buffer.from(process.env.TUNNEL_TOKEN, "base64").toString("utf8"));
    if (!a || !s || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(t)) throw new Error("incomplete");
    return { account: a, secret: s, tunnel: t };
  } catch {
    return end(255, "Provided Tunnel token is not valid.\nSee 'cloudflared tunnel run --help'.");
  }
}

function serveMetrics() {
  const server = createServer((incoming, response) => {
    if (incoming.url !== "/ready") return response.writeHead(404).end();
    for (let line = faults().chatter ?? 0; line > 0; line--)
      say("info", `${process.env.TUNNEL_TOKEN} ${token.secret} ${"chatter ".repeat(100)}`);
    const status = !stopping && connections > 0 ? (faults().ready ?? 200) : 503;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(
      JSON.stringify({ status, readyConnections: status === 200 ? connections : 0, connectorId: "stand-in" }),
    );
  });
  const [host, port] = options.metrics.split(":");
  server.on("error", ({ message }) => end(1, `Error opening metrics server listener: ${message}`));
  server.listen(Number(port), host, () =>
    say("info", `Starting metrics server on ${host}:${server.address().port}/metrics`),
  );
}

/** One connection: this end is the server of HTTP/2, and registers on the first stream, as the real one does. */
function connectToEdge() {
  const protocol = options.protocol ?? process.env.TUNNEL_TRANSPORT_PROTOCOL ?? "quic";
  if (protocol !== "http2" && faults().quic === "blocked") {
    say("error", "Failed to dial a quic connection", {
      error: "failed to dial to edge with quic: timeout: no recent network activity",
      connIndex: 0,
    });
    return retry();
  }
  const [host, port] = process.env.TUNNEL_EDGE.split(",")[0].split(":");
  const { TUNNEL_CACERT } = process.env;
  const ca = TUNNEL_CACERT && readFileSync(TUNNEL_CACERT);
  const socket = connect({ host, port: Number(port), ca, servername: "h2.cftunnel.com" });
  socket.once("error", ({ message }) => {
    say("error", "Unable to establish connection with Cloudflare edge", { error: message, connIndex: 0 });
  });
  let registered = false;
  socket.once("secureConnect", () => {
    const session = http2.performServerHandshake(socket);
    session.on("stream", (stream, headers) => {
      if (headers[UPGRADE] === "control-stream") register(stream);
      else forward(stream, headers);
    });
    // The socket's end is told below.
    session.on("error", () => {});
  });
  socket.once("close", () => {
    if (registered) {
      connections--;
      if (!stopping) say("warn", "Lost connection with the edge", { connIndex: 0 });
    }
    retry();
  });

  function register(stream) {
    stream.on("error", () => {});
    stream.respond({ ":status": 200 });
    const variables = Object.keys(process.env).filter((name) => name.startsWith("TUNNEL_"));
    const arch = JSON.stringify({ protocol, variables: variables.sort() });
    const { account, secret, tunnel } = token;
    stream.write(bootstrap(0));
    stream.write(call(1, Method.register, { account, secret, tunnel, connection: 0, arch }));
    const readMessages = messageReader();
    stream.on("data", (chunk) => {
      for (const { kind, answer, refusal } of readMessages(chunk)) {
        if (kind !== "return" || answer !== 1) continue;
        if (refusal) {
          say("error", "Register tunnel error from server side", { error: refusal, connIndex: 0, ip: host });
          // What it may not do it tries for ever; of anything else it dies, the first time.
          if (!wasRegistered && !/^Unauthorized/.test(refusal))
            end(1, `failed to register tunnel: ${refusal}`);
          continue;
        }
        registered = true;
        wasRegistered = true;
        connections++;
        unregister = () => stream.write(call(2, Method.unregister));
        say("info", "Registered tunnel connection", { connIndex: 0, ip: host, location: "here", protocol });
      }
    });
  }
}

function retry() {
  if (stopping) return;
  say("info", "Retrying connection in up to 1s", { connIndex: 0 });
  setTimeout(connectToEdge, RETRY_MS);
}

function forward(stream, headers) {
  // A client that gave up.
  stream.on("error", () => {});
  if (faults().deaf) return;
  inFlight++;
  stream.once("close", () => {
    inFlight--;
  });
  const { [UPGRADE]: upgrade, ...fields } = headers;
  const plain = Object.fromEntries(Object.entries(fields).filter(([name]) => !name.startsWith(":")));
  if (upgrade) Object.assign(plain, { connection: "Upgrade", upgrade });
  const outgoing = request(
    new URL(headers[":path"], service),
    { method: headers[":method"], headers: { ...plain, host: headers[":authority"] }, agent: false },
    (response) => {
      const length = response.headers["content-length"];
      stream.respond({
        ":status": response.statusCode,
        ...(length === undefined ? {} : { "content-length": length }),
        [RESPONSE_HEADERS]: userHeaders(response),
      });
      response.pipe(stream);
    },
  );
  outgoing.on("upgrade", (response, socket, head) => {
    stream.respond({ ":status": 200, [RESPONSE_HEADERS]: userHeaders(response) });
    if (head.length > 0) stream.write(head);
    stream.pipe(socket).pipe(stream);
    socket.on("error", () => stream.close());
    stream.once("close", () => socket.destroy());
  });
  stream.once("close", () => outgoing.destroy());
  outgoing.on("error", (error) => {
    // Errors of the origin have no message.
    process.stderr.write(
      `${JSON.stringify({ level: "error", error: error.message, time: new Date().toISOString() })}\n`,
    );
    if (!stream.headersSent) stream.respond({ ":status": 502 });
    stream.end();
  });
  // What a client sends over a WebSocket before it is open waits until there is a socket.
  if (upgrade) outgoing.end();
  else stream.pipe(outgoing);
}

/** What the origin said, without what belongs to its connection, as one header. */
function userHeaders({ rawHeaders }) {
  const pairs = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at].toLowerCase();
    if (!/^(connection|upgrade|transfer-encoding|keep-alive|content-length)$/.test(name))
      pairs.push([name, rawHeaders[at + 1]]);
  }
  return serializeHeaders(pairs);
}

function stop(signal) {
  if (stopping) process.exit(143);
  stopping = true;
  const name = signal === "SIGTERM" ? "terminated" : "interrupt";
  say("info", `Initiating graceful shutdown due to signal ${name} ...`);
  unregister();
  const until = performance.now() + 1_000 * Number.parseFloat(options["grace-period"] ?? "30s");
  setInterval(() => {
    if (inFlight > 0 && performance.now() < until) return;
    say("info", "Tunnel server stopped");
    process.exit(0);
  }, 25);
}
