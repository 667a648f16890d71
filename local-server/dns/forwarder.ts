/** Forwards queries to other resolvers, unchanged except for their id. */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import type { Resolver } from "./resolvers.ts";

/** After this time the next resolver is asked. */
const RESOLVER_TIMEOUT_MS = 2_000;
/** More queries in flight mean a flood. */
const MAX_IN_FLIGHT = 1_000;

export type Transport = "udp" | "tcp";

export class Forwarder {
  readonly #resolvers: () => Resolver[];
  /** Queries in flight, by their bytes without the id. */
  readonly #inFlight = new Map<string, Promise<Buffer | undefined>>();

  constructor(resolvers: () => Resolver[]) {
    this.#resolvers = resolvers;
  }

  /**
   * The answer for this query, with its id; undefined when no resolver gave one. Equal queries in flight are coalesced, which
   * also ends a loop of a resolver that asks us.
   */
  async ask(query: Buffer, transport: Transport): Promise<Buffer | undefined> {
    const question = transport + query.toString("latin1", 2);
    let asked = this.#inFlight.get(question);
    if (!asked) {
      if (this.#inFlight.size >= MAX_IN_FLIGHT) return undefined;
      asked = this.#askEach(query, transport).finally(() => this.#inFlight.delete(question));
      this.#inFlight.set(question, asked);
    }
    const answer = await asked;
    if (!answer) return undefined;
    const own = Buffer.from(answer);
    query.copy(own, 0, 0, 2);
    return own;
  }

  async #askEach(query: Buffer, transport: Transport): Promise<Buffer | undefined> {
    for (const resolver of this.#resolvers()) {
      const answer = await askOne(query, resolver, transport);
      if (answer) return answer;
    }
    return undefined;
  }
}

function askOne(query: Buffer, resolver: Resolver, transport: Transport): Promise<Buffer | undefined> {
  const sent = Buffer.from(query);
  sent.writeUInt16BE(randomInt(65_536), 0);
  return transport === "udp" ? overUdp(sent, resolver) : overTcp(sent, resolver);
}

/** A new socket, and so a new port, for each query: port and id together are hard to guess for a forger. */
function overUdp(query: Buffer, { address, port }: Resolver): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
    const done = (answer?: Buffer) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(done, RESOLVER_TIMEOUT_MS);
    socket.once("error", () => done());
    // A connected socket: the kernel drops packets from other addresses.
    socket.connect(port, address, () => {
      socket.on("message", (answer) => {
        if (isAnswerTo(query, answer)) done(answer);
      });
      socket.send(query);
    });
  });
}

function overTcp(query: Buffer, { address, port }: Resolver): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    let bytes = Buffer.alloc(0);
    let result: Buffer | undefined;
    socket.setTimeout(RESOLVER_TIMEOUT_MS, () => socket.destroy());
    socket.once("connect", () => socket.write(framed(query)));
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE(0)) return;
      const answer = Buffer.from(bytes.subarray(2, 2 + bytes.readUInt16BE(0)));
      if (isAnswerTo(query, answer)) result = answer;
      socket.destroy();
    });
    // 'close' follows every error.
    socket.on("error", () => {});
    socket.once("close", () => resolve(result));
  });
}

/** A message as TCP carries it: preceded by its length in two bytes. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

function isAnswerTo(query: Buffer, answer: Buffer): boolean {
  return answer.length >= 12 && answer.readUInt16BE(0) === query.readUInt16BE(0) && (answer[2]! & 0x80) !== 0;
}
