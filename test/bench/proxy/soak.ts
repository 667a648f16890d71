/** Many requests, aborts and WebSockets: do memory and open files come back to where they were? */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect as http2Connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { type ClientOptions, WebSocket, WebSocketServer } from "ws";
import type { Exchange } from "../../../core/api/request-log-api.ts";
import { callControl } from "../../integration/local-server/harness.ts";
import { verdict } from "../verdict.ts";
import { memory, openFiles } from "./cpu.ts";
import { HOST, putSession, type Stack, type StackSetup } from "./stacks.ts";

const MOST = 1.2;
const BURSTS = 5;

export async function soak({ port, process: { pid } }: Stack, place: StackSetup): Promise<void> {
  const home = join(place.directory, "home");
  const echo = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  echo.on("connection", (socket) => socket.on("message", (data, binary) => socket.send(data, { binary })));
  await once(echo, "listening");
  await putSession(home, place, (echo.address() as AddressInfo).port);

  const now = async () => {
    await settle();
    return { memory: memory(pid!), files: openFiles(pid!) };
  };
  requests(port, 1_000);
  const first = await now();
  for (let i = 0; i < 10; i++) requests(port, 10_000);
  await aborts(port, 1_000);
  const last = await now();
  const bursts = async () => {
    for (let i = 0; i < BURSTS; i++) await webSockets(port, 200);
  };
  // What 200 at once leave to the allocator it keeps, and has after some of them: flat is what as many need again.
  await bursts();
  const opened = await now();
  await bursts();
  const reopened = await now();
  await unread(port, 200);
  const unreadAfter = await now();
  const { body } = await callControl(home, "GET", "/v1/requests?limit=100000");
  const open = (body as { requests: Exchange[] }).requests.filter(({ state }) => state === "open").length;
  echo.close();

  console.log("\nSoak");
  judge("100,000 requests and 1,000 aborts, after 1,000 requests", first, last);
  judge(`${BURSTS} times 200 WebSockets, after as many`, opened, reopened);
  judge("200 responses of 20 MB that nobody reads, over HTTP/1.1", reopened, unreadAfter);
  judge("all of it, open files alone", first, { ...reopened, memory: first.memory });
  console.log(`  ${verdict(open === 0)}: ${open} of these requests count as open`);
}

interface Taken {
  memory: number;
  files: number;
}

/** Memory and open files have to come back to where they were. */
function judge(what: string, before: Taken, after: Taken): void {
  const ratio = after.memory / before.memory;
  const isFlat = ratio <= MOST && after.files <= before.files + 2;
  const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  console.log(
    `  ${verdict(isFlat)}: ${what}: memory ${mb(before.memory)} → ${mb(after.memory)} ` +
      `(${ratio.toFixed(2)} ×, at most ${MOST}), open files ${before.files} → ${after.files}`,
  );
}

function requests(port: number, count: number): void {
  const args = [
    "-c",
    "8",
    "-m",
    "16",
    "-n",
    String(count),
    `--connect-to=127.0.0.1:${port}`,
    `https://${HOST}/20k`,
  ];
  spawnSync("taskset", ["-c", "1", "h2load", ...args]);
}

async function aborts(port: number, count: number): Promise<void> {
  const session = http2Connect(`https://${HOST}:${port}`, {
    createConnection: () =>
      tlsConnect({
        host: "127.0.0.1",
        port,
        servername: HOST,
        ALPNProtocols: ["h2"],
        rejectUnauthorized: false,
      }),
  });
  for (let done = 0; done < count; done += 50)
    await Promise.all(
      Array.from({ length: 50 }, () => {
        const stream = session.request({ ":path": "/20m" });
        stream.on("error", () => {});
        stream.once("data", () => stream.close(8));
        return new Promise((resolve) => stream.once("close", resolve));
      }),
    );
  session.close();
}

/** All at once; each client goes when the proxy has filled what it can. */
async function unread(port: number, count: number): Promise<void> {
  const sockets = Array.from({ length: count }, () =>
    tlsConnect({
      host: "127.0.0.1",
      port,
      servername: HOST,
      ALPNProtocols: ["http/1.1"],
      rejectUnauthorized: false,
    }).pause(),
  );
  await Promise.all(sockets.map((socket) => once(socket, "secureConnect")));
  for (const socket of sockets) {
    socket.on("error", () => {});
    socket.write(`GET /20m HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  }
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  for (const socket of sockets) socket.destroy();
}

/** All open at once; messages of many sizes go there and back; half of them close, half just go. */
async function webSockets(port: number, count: number): Promise<void> {
  const options = { headers: { host: HOST }, servername: HOST, rejectUnauthorized: false } as ClientOptions;
  const sockets = Array.from({ length: count }, () => new WebSocket(`wss://127.0.0.1:${port}/echo`, options));
  await Promise.all(sockets.map((socket) => once(socket, "open")));
  for (const size of [0, 100, 10_000, 100_000])
    await Promise.all(
      sockets.map((socket) => {
        socket.send(Buffer.alloc(size));
        return once(socket, "message");
      }),
    );
  await Promise.all(
    sockets.map((socket, i) => {
      const closed = once(socket, "close");
      if (i % 2 === 0) socket.close(1000);
      else socket.terminate();
      return closed;
    }),
  );
}

/** Idle connections are closed, garbage is collected after a quiet minute; and some time to spare. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 95_000));
}
