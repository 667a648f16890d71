/** Decides a DNS query: an answer about one of our names, an error, or forwarding. */
import { type Answer, type DecodedPacket, decode, encode, type Packet, type Question } from "dns-packet";

/** True for the lower-case host names that resolve to this machine. */
export type IsLocalName = (name: string) => boolean;

export type Reply = { kind: "answer"; packet: Buffer } | { kind: "forward" } | { kind: "ignore" };

/** Seconds. Sessions start and stop, so answers must not be cached for long. */
const TTL = 5;
/** Bytes that are not fragmented on any network (DNS flag day 2020). */
const UDP_PAYLOAD = 1232;
/** Bytes (RFC 1035, 2.3.4 and 4.1.1). */
const HEADER = 12;
const MAX_LABEL = 63;
const MAX_NAME = 255;

const AUTHORITATIVE = 1 << 10;
const RECURSION_DESIRED = 1 << 8;
const RECURSION_AVAILABLE = 1 << 7;
const CHECKING_DISABLED = 1 << 4;
const DNSSEC_OK = 1 << 15;
const FORMERR = 1;
export const SERVFAIL = 2;
const NOTIMP = 4;
export const REFUSED = 5;

/** Pure; never throws, whatever the bytes are. */
export function reply(query: Buffer, isOurs: IsLocalName): Reply {
  // Too short for a header, or an answer: its sender expects no answer.
  if (query.length < HEADER || (query[2]! & 0x80) !== 0) return { kind: "ignore" };
  if ((query[2]! & 0x78) !== 0) return errorReply(query, NOTIMP);
  let packet: DecodedPacket;
  try {
    packet = decode(query);
  } catch {
    return errorReply(query, FORMERR);
  }
  const [question] = packet.questions ?? [];
  if (!question || packet.questions?.length !== 1) return errorReply(query, FORMERR);
  if (!isOurs(question.name.toLowerCase())) return { kind: "forward" };

  const edns = packet.additionals?.find((record) => record.type === "OPT");
  if (edns && "ednsVersion" in edns && edns.ednsVersion !== 0) return badVersion(packet, question, edns);
  if (question.class !== "IN" && question.class !== "ANY") return errorReply(query, REFUSED);
  const answers = records(question);
  return {
    kind: "answer",
    packet: encode({
      ...responseTo(packet, question),
      answers,
      // For a negative answer: how long it may be cached (RFC 2308).
      authorities: answers.length > 0 ? [] : [soa(question.name)],
      additionals: edns ? [opt(0, edns)] : [],
    }),
  };
}

/** An error with the query's id and its question, if it has one: many resolvers ignore an error without the question. */
export function errorReply(query: Buffer, rcode: number): Reply & { kind: "answer" } {
  const end = rcode === FORMERR ? HEADER : questionEnd(query);
  const packet = Buffer.alloc(end);
  query.copy(packet, 0, 0, end);
  packet.fill(0, 2, HEADER);
  packet[2] = 0x80 | (query[2]! & 0x79);
  packet[3] = 0x80 | rcode;
  packet[5] = end === HEADER ? 0 : 1;
  return { kind: "answer", packet };
}

/** The end of a query's only question; the end of its header when no question can be copied. */
function questionEnd(query: Buffer): number {
  if (query.readUInt16BE(4) !== 1) return HEADER;
  let at = HEADER;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    if (length > MAX_LABEL) return HEADER;
    at += 1 + length;
  }
  // The root label, then type and class.
  const end = at + 5;
  return end <= query.length && at - HEADER < MAX_NAME ? end : HEADER;
}

/** The question's case is kept: some resolvers randomise it to recognise answers (0x20). */
function responseTo(packet: DecodedPacket, question: Question): Packet {
  const asked = (packet.flags ?? 0) & (RECURSION_DESIRED | CHECKING_DISABLED);
  return {
    type: "response",
    id: packet.id ?? 0,
    flags: asked | AUTHORITATIVE | RECURSION_AVAILABLE,
    questions: [question],
  };
}

function records({ name, type }: Question): Answer[] {
  const a: Answer = { type: "A", name, ttl: TTL, data: "127.0.0.1" };
  const aaaa: Answer = { type: "AAAA", name, ttl: TTL, data: "::1" };
  switch (type as string) {
    case "A":
      return [a];
    case "AAAA":
      return [aaaa];
    case "ANY":
      return [a, aaaa];
    case "SOA":
      return [soa(name)];
    default:
      return [];
  }
}

/** Each of our names is a zone: we are not authoritative for its siblings. */
function soa(name: string): Answer {
  return {
    type: "SOA",
    name,
    ttl: TTL,
    data: {
      mname: "linkup.localhost",
      rname: "nobody.localhost",
      serial: 1,
      refresh: 3600,
      retry: 600,
      expire: 86_400,
      minimum: TTL,
    },
  };
}

/** RFC 6891, 6.1.3. */
function badVersion(packet: DecodedPacket, question: Question, edns: Answer): Reply {
  return { kind: "answer", packet: encode({ ...responseTo(packet, question), additionals: [opt(1, edns)] }) };
}

/** The DO bit is copied (RFC 3225, 3), although there is no DNSSEC. */
function opt(extendedRcode: number, asked: Answer): Answer {
  const dnssecOk = "flag_do" in asked && asked.flag_do;
  return {
    type: "OPT",
    name: ".",
    udpPayloadSize: UDP_PAYLOAD,
    extendedRcode,
    ednsVersion: 0,
    flags: dnssecOk ? DNSSEC_OK : 0,
    flag_do: dnssecOk,
    options: [],
  };
}
