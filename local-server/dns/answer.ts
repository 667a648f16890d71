/** What a DNS query gets: an answer about one of our names, an error, or the word to ask somebody else. */
import { type Answer, type DecodedPacket, decode, encode, type Packet, type Question } from "dns-packet";

/** True for the lower-case host names that lead to this machine. */
export type IsOurs = (name: string) => boolean;

export type Reply = { kind: "answer"; packet: Buffer } | { kind: "forward" } | { kind: "ignore" };

/** Seconds. Sessions come and go: what is remembered about them must not stay. */
const TTL = 5;
/** What survives without fragments everywhere (DNS flag day 2020). */
const UDP_PAYLOAD = 1232;

const AUTHORITATIVE = 1 << 10;
const RECURSION_DESIRED = 1 << 8;
const RECURSION_AVAILABLE = 1 << 7;
const CHECKING_DISABLED = 1 << 4;
const FORMERR = 1;
export const SERVFAIL = 2;
const NOTIMP = 4;
export const REFUSED = 5;

/** Decides by the query alone; never throws, whatever the bytes are. */
export function reply(query: Buffer, isOurs: IsOurs): Reply {
  // Too short for a header, or an answer: whoever sent it waits for nothing.
  if (query.length < 12 || (query[2]! & 0x80) !== 0) return { kind: "ignore" };
  if ((query[2]! & 0x78) !== 0) return failure(query, NOTIMP);
  let packet: DecodedPacket;
  try {
    packet = decode(query);
  } catch {
    return failure(query, FORMERR);
  }
  const [question] = packet.questions ?? [];
  if (!question || packet.questions?.length !== 1) return failure(query, FORMERR);
  if (!isOurs(question.name.toLowerCase())) return { kind: "forward" };

  const edns = packet.additionals?.find((record) => record.type === "OPT");
  if (edns && "ednsVersion" in edns && edns.ednsVersion !== 0) return badVersion(packet, question);
  if (question.class !== "IN" && question.class !== "ANY") return failure(query, REFUSED);
  const answers = records(question);
  return {
    kind: "answer",
    packet: encode({
      ...responseTo(packet, question),
      answers,
      // Nothing of this type, and for how long that may be believed (RFC 2308).
      authorities: answers.length > 0 ? [] : [soa(question.name)],
      additionals: edns ? [opt(0)] : [],
    }),
  };
}

/** An error with the query's id and nothing else of it. */
export function failure(query: Buffer, rcode: number): Reply & { kind: "answer" } {
  const packet = Buffer.alloc(12);
  query.copy(packet, 0, 0, 4);
  packet[2] = 0x80 | (query[2]! & 0x79);
  packet[3] = 0x80 | rcode;
  return { kind: "answer", packet };
}

/** The question is repeated letter by letter: some resolvers mix the case to know their answers (0x20). */
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

/** Each of our names is a zone of its own: of its neighbours we know nothing. */
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
function badVersion(packet: DecodedPacket, question: Question): Reply {
  return { kind: "answer", packet: encode({ ...responseTo(packet, question), additionals: [opt(1)] }) };
}

function opt(extendedRcode: number): Answer {
  return {
    type: "OPT",
    name: ".",
    udpPayloadSize: UDP_PAYLOAD,
    extendedRcode,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}
