/**
 * The few messages of Cap'n Proto RPC that cloudflared and the edge exchange on a connection's control stream, unpacked.
 * Layouts are those of capnproto's rpc.capnp and of tunnelrpc.capnp; docs/contribute/testing.md tells more.
 */

const REGISTRATION_SERVER = 0xf71695ec7fe85497n;
/** Methods of the interface RegistrationServer. */
export const Method = { register: 0, unregister: 1, updateConfiguration: 2 } as const;
/** Members of the union Message. */
const Kind = { call: 2, return: 3, finish: 4, bootstrap: 8 } as const;
const NO_BYTES = Buffer.alloc(0);

export type RpcMessage =
  | { kind: "bootstrap"; question: number }
  | { kind: "call"; question: number; method: number; registration?: ConnectionRegistration }
  /** Of a registration: where the connection landed, or why not. */
  | { kind: "return"; answer: number; location?: string; refusal?: string; retry?: boolean }
  | { kind: "other" };

export interface ConnectionRegistration {
  account: string;
  /** As the token has it, in base64. */
  secret: string;
  tunnel: string;
  connection: number;
  /** Of the client, as `linux_amd64`. */
  arch: string;
}

export function bootstrap(question: number): Buffer {
  return message(Kind.bootstrap, ({ struct }, at) => struct(at, 1, 1).data.writeUInt32LE(question, 0));
}

/** `registration` is for the method `register`. */
export function call(question: number, method: number, registration?: ConnectionRegistration): Buffer {
  return message(Kind.call, ({ struct, text, data }, at) => {
    const body = struct(at, 3, 3);
    body.data.writeUInt32LE(question, 0);
    body.data.writeUInt16LE(method, 4);
    body.data.writeBigUInt64LE(REGISTRATION_SERVER, 8);
    // The answer to the bootstrap is the registration server, whether it has come or not.
    const target = struct(body.pointer(0), 1, 1);
    target.data.writeUInt16LE(1, 4);
    struct(target.pointer(0), 1, 1).data.writeUInt32LE(0, 0);
    const payload = struct(body.pointer(1), 0, 2);
    if (!registration) {
      struct(payload.pointer(0), 0, 0);
      return;
    }
    const parameters = struct(payload.pointer(0), 1, 3);
    parameters.data.writeUInt8(registration.connection, 0);
    const auth = struct(parameters.pointer(0), 0, 2);
    text(auth.pointer(0), registration.account);
    data(auth.pointer(1), Buffer.from(registration.secret, "base64"));
    data(parameters.pointer(1), Buffer.from(registration.tunnel.replaceAll("-", ""), "hex"));
    const client = struct(struct(parameters.pointer(2), 1, 2).pointer(0), 0, 4);
    text(client.pointer(2), "2026.8.2");
    text(client.pointer(3), registration.arch);
  });
}

/** The registration server, as the answer to a bootstrap. */
export function returnServer(answer: number): Buffer {
  return answered(answer, ({ list, capability }, payload) => {
    capability(payload.pointer(0), 0);
    const [descriptor] = list(payload.pointer(1), 1, 1, 1);
    // senderHosted, with 0 as its id.
    descriptor!.writeUInt16LE(1, 0);
  });
}

export function returnRegistered(answer: number, connection: Buffer, location: string): Buffer {
  return answered(answer, ({ struct, text, data }, payload) => {
    const response = struct(struct(payload.pointer(0), 0, 1).pointer(0), 1, 1);
    response.data.writeUInt16LE(1, 0);
    const details = struct(response.pointer(0), 1, 2);
    data(details.pointer(0), connection);
    text(details.pointer(1), location);
  });
}

export function returnRefused(answer: number, cause: string, retry: boolean): Buffer {
  return answered(answer, ({ struct, text }, payload) => {
    const response = struct(struct(payload.pointer(0), 0, 1).pointer(0), 1, 1);
    const error = struct(response.pointer(0), 2, 1);
    text(error.pointer(0), cause);
    error.data.writeUInt8(retry ? 1 : 0, 8);
  });
}

export function returnNothing(answer: number): Buffer {
  return answered(answer, ({ struct }, payload) => void struct(payload.pointer(0), 0, 0));
}

function answered(answer: number, write: (writer: Writer, payload: Struct) => void): Buffer {
  return message(Kind.return, (writer, at) => {
    const body = writer.struct(at, 2, 1);
    body.data.writeUInt32LE(answer, 0);
    write(writer, writer.struct(body.pointer(0), 0, 2));
  });
}

interface Struct {
  data: Buffer;
  /** The word of its nth pointer. */
  pointer(index: number): number;
}

type Writer = ReturnType<typeof newWriter>;

function newWriter() {
  const bytes = Buffer.alloc(4096);
  let words = 1;
  const allocate = (count: number) => {
    const at = words;
    words += count;
    return at;
  };
  const writePointer = (at: number, target: number, kind: number, upper: number) => {
    bytes.writeInt32LE(((target - at - 1) << 2) | kind, at * 8);
    bytes.writeUInt32LE(upper >>> 0, at * 8 + 4);
  };
  const data = (at: number, content: Buffer) => {
    const target = allocate(Math.ceil(content.length / 8));
    writePointer(at, target, 1, (content.length << 3) | 2);
    content.copy(bytes, target * 8);
  };
  return {
    struct(at: number, dataWords: number, pointers: number): Struct {
      const target = allocate(dataWords + pointers);
      // An empty struct's pointer must not be null.
      if (dataWords + pointers === 0) writePointer(at, at, 0, 0);
      else writePointer(at, target, 0, dataWords | (pointers << 16));
      return {
        data: bytes.subarray(target * 8, (target + dataWords) * 8),
        pointer: (index) => target + dataWords + index,
      };
    },
    /** A list of structs; returns their data. */
    list(at: number, count: number, dataWords: number, pointers: number): Buffer[] {
      const size = dataWords + pointers;
      const tag = allocate(1 + count * size);
      writePointer(at, tag, 1, ((count * size) << 3) | 7);
      bytes.writeUInt32LE(count << 2, tag * 8);
      bytes.writeUInt32LE(dataWords | (pointers << 16), tag * 8 + 4);
      return Array.from({ length: count }, (_, index) => {
        const start = (tag + 1 + index * size) * 8;
        return bytes.subarray(start, start + dataWords * 8);
      });
    },
    text: (at: number, content: string) => data(at, Buffer.from(`${content}\0`)),
    data,
    capability(at: number, index: number) {
      bytes.writeUInt32LE(3, at * 8);
      bytes.writeUInt32LE(index, at * 8 + 4);
    },
    written: () => bytes.subarray(0, words * 8),
  };
}

function message(kind: number, write: (writer: Writer, at: number) => void): Buffer {
  const writer = newWriter();
  const root = writer.struct(0, 1, 1);
  root.data.writeUInt16LE(kind, 0);
  write(writer, root.pointer(0));
  const segment = writer.written();
  const head = Buffer.alloc(8);
  head.writeUInt32LE(segment.length / 8, 4);
  return Buffer.concat([head, segment]);
}

/** Cuts a stream into messages: hand it every chunk, and it returns the messages that are complete. */
export function messageReader(): (chunk: Buffer) => RpcMessage[] {
  let pending = NO_BYTES;
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    const messages: RpcMessage[] = [];
    for (;;) {
      if (pending.length < 8) return messages;
      const count = pending.readUInt32LE(0) + 1;
      const head = Math.ceil((4 + count * 4) / 8) * 8;
      if (pending.length < head) return messages;
      const sizes = Array.from({ length: count }, (_, index) => pending.readUInt32LE(4 + index * 4) * 8);
      const total = sizes.reduce((sum, size) => sum + size, head);
      if (pending.length < total) return messages;
      const segments: Buffer[] = [];
      let at = head;
      for (const size of sizes) {
        segments.push(pending.subarray(at, at + size));
        at += size;
      }
      pending = pending.subarray(total);
      messages.push(read(segments));
    }
  };
}

interface Read {
  data: Buffer;
  struct(index: number): Read;
  bytes(index: number): Buffer;
}

/** A pointer, followed. What is missing reads as zeros, as in Cap'n Proto. */
function follow(segments: readonly Buffer[], segment: Buffer, at: number): Read {
  const nothing: Read = { data: Buffer.alloc(64), struct: () => nothing, bytes: () => NO_BYTES };
  if (at + 8 > segment.length) return nothing;
  const lower = segment.readInt32LE(at);
  const upper = segment.readUInt32LE(at + 4);
  if (lower === 0 && upper === 0) return nothing;
  // Far: the pointer itself is in another segment.
  if ((lower & 3) === 2) return follow(segments, segments[upper] ?? NO_BYTES, (lower >>> 3) * 8);
  const target = at + 8 + (lower >> 2) * 8;
  if ((lower & 3) === 1) {
    const length = upper >>> 3;
    return { ...nothing, bytes: () => segment.subarray(target, target + length) };
  }
  const dataBytes = (upper & 0xffff) * 8;
  const pointers = upper >>> 16;
  const pointer = (index: number) =>
    index < pointers ? follow(segments, segment, target + dataBytes + index * 8) : nothing;
  return {
    data: Buffer.concat([segment.subarray(target, target + dataBytes), Buffer.alloc(64)]),
    struct: pointer,
    bytes: (index) => pointer(index).bytes(0),
  };
}

function read(segments: readonly Buffer[]): RpcMessage {
  const root = follow(segments, segments[0] ?? NO_BYTES, 0);
  const body = root.struct(0);
  const id = body.data.readUInt32LE(0);
  switch (root.data.readUInt16LE(0)) {
    case Kind.bootstrap:
      return { kind: "bootstrap", question: id };
    case Kind.call: {
      const method = body.data.readUInt16LE(4);
      const isOurs = body.data.readBigUInt64LE(8) === REGISTRATION_SERVER;
      if (!isOurs) return { kind: "other" };
      const called = { kind: "call", question: id, method } as const;
      return method === Method.register
        ? { ...called, registration: registrationOf(body.struct(1).struct(0)) }
        : called;
    }
    case Kind.return: {
      const response = body.struct(0).struct(0).struct(0);
      const details = response.struct(0);
      if (response.data.readUInt16LE(0) === 1)
        return { kind: "return", answer: id, location: textOf(details.bytes(1)) };
      const refusal = textOf(details.bytes(0));
      return refusal
        ? { kind: "return", answer: id, refusal, retry: (details.data.readUInt8(8) & 1) === 1 }
        : { kind: "return", answer: id };
    }
    default:
      return { kind: "other" };
  }
}

function registrationOf(parameters: Read): ConnectionRegistration {
  const auth = parameters.struct(0);
  const id = parameters.bytes(1).toString("hex");
  return {
    account: textOf(auth.bytes(0)),
    secret: auth.bytes(1).toString("base64"),
    tunnel: id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
    connection: parameters.data.readUInt8(0),
    arch: textOf(parameters.struct(2).struct(0).bytes(3)),
  };
}

/** Texts end with a zero byte. */
function textOf(bytes: Buffer): string {
  return bytes.toString("utf8").replace(/\0$/, "");
}

/** The headers of a response, which cloudflared puts into one: `base64(name):base64(value);…` without padding. */
export const RESPONSE_HEADERS = "cf-cloudflared-response-headers";
export const UPGRADE = "cf-cloudflared-proxy-connection-upgrade";

export function serializeHeaders(headers: readonly (readonly [string, string])[]): string {
  const encode = (text: string) => Buffer.from(text, "latin1").toString("base64").replaceAll("=", "");
  return headers.map(([name, value]) => `${encode(name)}:${encode(value)}`).join(";");
}

export function parseHeaders(text: string): [string, string][] {
  const decode = (part: string) => Buffer.from(part, "base64").toString("latin1");
  return text
    .split(";")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const [name = "", value = ""] = pair.split(":");
      return [decode(name), decode(value)];
    });
}
