/** Passes queries on to other resolvers, byte for byte but for their id. */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import type { Resolver } from "./resolvers.ts";

/** How long one resolver may take; then the next one is asked. */
const PATIENCE_MS = 2_000;
/** Queries under way: more mean a flood. */
const MAX_UNDER_WAY = 1_000;

export type Transport = "udp" | "tcp";

export class Forwarder {
  readonly #resolvers: () => Resolver[];
  /** What is being asked, by its bytes without the id. */
  readonly #underWay = new Map<string, Promise<Buffer | undefined>>();

  constructor(resolvers: () => Resolver[]) {
    this.#resolvers = resolvers;
  }

  /**
   * The answer for this query, with its id; undefined when nobody gave one. The same question is asked once at a time:
   * so a circle, where whom we ask asks us, ends as well.
   */
  async ask(query: Buffer, transport: Transport): Promise<Buffer | undefined> {
    const question = transport + query.toString("latin1", 2);
    let asked = this.#underWay.get(question);
    if (!asked) {
      if (this.#underWay.size >= MAX_UNDER_WAY) return undefined;
      asked = this.#askEach(query, transport).finally(() => this.#underWay.delete(question));
      this.#underWay.set(question, asked);
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

/** A socket, and so a port, of its own for each query: together with the id hard to guess for a forger. */
function overUdp(query: Buffer, { address, port }: Resolver): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
    const done = (answer?: Buffer) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(done, PATIENCE_MS);
    socket.once("error", () => done());
    // Connected: the kernel drops what comes from anybody else.
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
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    socket.once("connect", () => socket.write(framed(query)));
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE(0)) return;
      const answer = Buffer.from(bytes.subarray(2, 2 + bytes.readUInt16BE(0)));
      if (isAnswerTo(query, answer)) result = answer;
      socket.destroy();
    });
    // Whatever went wrong, it ends with this.
    socket.on("error", () => {});
    socket.once("close", () => resolve(result));
  });
}

/** A message as TCP carries it: its length in two bytes before it. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

function isAnswerTo(query: Buffer, answer: Buffer): boolean {
  return answer.length >= 12 && answer.readUInt16BE(0) === query.readUInt16BE(0) && (answer[2]! & 0x80) !== 0;
}
