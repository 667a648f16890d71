/** Serves DNS on a loopback address, over UDP and TCP on one port. */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { LOCAL_DNS_PROBE_NAME } from "../../core/api/control-api.ts";
import { errorReply, REFUSED, type Reply, reply, SERVFAIL } from "./answer.ts";
import { type Forwarder, framed, type Transport } from "./forwarder.ts";
import type { Resolver } from "./resolvers.ts";
import type { SessionHostNames } from "./session-host-names.ts";

/** Ports tried to find one that is free for both. */
const ATTEMPTS = 20;
const MAX_CONNECTIONS = 200;
const TCP_IDLE_MS = 10_000;

export interface DnsServer {
  port: number;
  close(): void;
}

/** Without a forwarder, queries for other names are refused. Port 0: any. Throws the system's error when it is taken. */
export async function startDns(
  listen: Resolver,
  names: SessionHostNames,
  forwarder: Forwarder | undefined,
): Promise<DnsServer> {
  const isOurs = (name: string) => name === LOCAL_DNS_PROBE_NAME || names.has(name);
  /** Synchronous when the answer is known: a name that was ours a moment ago does not wait for a refresh. */
  const answer = (query: Buffer, transport: Transport): Packet | Promise<Packet> => {
    const decision = reply(query, isOurs);
    if (names.fresh) return carryOut(decision, query, transport);
    const refreshed = names.refresh();
    if (names.usable && decision.kind !== "forward") return carryOut(decision, query, transport);
    return refreshed.then(() => carryOut(reply(query, isOurs), query, transport));
  };
  const carryOut = (decision: Reply, query: Buffer, transport: Transport) => {
    if (decision.kind === "ignore") return undefined;
    if (decision.kind === "answer") return decision.packet;
    if (!forwarder) return errorReply(query, REFUSED).packet;
    return forwarder.ask(query, transport).then((packet) => packet ?? errorReply(query, SERVFAIL).packet);
  };

  const { tcp, udp } = await bind(listen);
  udp.on("message", (query, { port, address }) => {
    const send = (packet: Packet) => packet && udp.send(packet, port, address);
    const packet = answer(query, "udp");
    if (packet instanceof Promise) void packet.then(send);
    else send(packet);
  });
  tcp.maxConnections = MAX_CONNECTIONS;
  tcp.on("connection", (socket) => serveTcp(socket, (query) => answer(query, "tcp")));
  return {
    port: udp.address().port,
    close() {
      udp.close();
      tcp.close();
    },
  };
}

type Packet = Buffer | undefined;

/** Answers queries one after the other, in order, with back-pressure. */
function serveTcp(socket: Socket, answer: (query: Buffer) => Packet | Promise<Packet>): void {
  let bytes = Buffer.alloc(0);
  socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  const work = async () => {
    while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
      const end = 2 + bytes.readUInt16BE(0);
      const query = bytes.subarray(2, end);
      bytes = bytes.subarray(end);
      const packet = await answer(query);
      if (packet && socket.writable && !socket.write(framed(packet))) await drained(socket);
    }
  };
  socket.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    socket.pause();
    void work().then(() => socket.resume());
  });
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("drain", resolve);
    socket.once("close", () => resolve());
  });
}

async function bind({ address, port }: Resolver): Promise<{ tcp: Server; udp: UdpSocket }> {
  for (let attempt = 1; ; attempt++) {
    const tcp = createServer();
    await new Promise<void>((resolve, reject) => tcp.once("error", reject).listen(port, address, resolve));
    const bound = (tcp.address() as { port: number }).port;
    const udp = createSocket({ type: "udp4", recvBufferSize: 4 << 20, lookup: addressLookup });
    try {
      await new Promise<void>((resolve, reject) => udp.once("error", reject).bind(bound, address, resolve));
      udp.removeAllListeners("error");
      // A client's closed port is not our error (Windows reports it on the next read).
      udp.on("error", () => {});
      return { tcp, udp };
    } catch (error) {
      tcp.close();
      if (port !== 0 || attempt === ATTEMPTS) throw error;
    }
  }
}

/** The client's address needs no lookup: the usual one takes a fifth of the CPU of an answer. */
function addressLookup(
  address: string,
  _options: unknown,
  done: (error: null, address: string, family: number) => void,
): void {
  done(null, address, 4);
}
