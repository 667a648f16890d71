import { decode, encode, type Packet } from "dns-packet";
import fc from "fast-check";
import { expect, test } from "vitest";
import { errorReply, REFUSED, reply } from "./answer.ts";

const ours = (name: string) => name === "slim-gecko.example.com";

function query(name: string, type: string, more: Packet = {}): Buffer {
  return encode({
    type: "query",
    id: 4711,
    flags: 1 << 8,
    questions: [{ name, type, class: "IN" } as never],
    ...more,
  });
}

function answered(bytes: Buffer) {
  const decided = reply(bytes, ours);
  if (decided.kind !== "answer") throw new Error(`Not answered but: ${decided.kind}`);
  // The types of dns-packet know nothing of the code that it decodes.
  return decode(decided.packet) as ReturnType<typeof decode> & { rcode: string };
}

test("our names lead to this machine", () => {
  const a = answered(query("slim-gecko.example.com", "A"));
  expect(a).toMatchObject({
    id: 4711,
    type: "response",
    rcode: "NOERROR",
    flag_aa: true,
    flag_ra: true,
    flag_rd: true,
  });
  expect(a.answers).toMatchObject([{ type: "A", data: "127.0.0.1", ttl: 5 }]);
  expect(answered(query("slim-gecko.example.com", "AAAA")).answers).toMatchObject([
    { type: "AAAA", data: "::1" },
  ]);
});

test("the case of the question is kept, and does not matter", () => {
  const { questions, answers } = answered(query("sLiM-gEcKo.ExAmPlE.cOm", "A"));
  expect(questions?.[0]?.name).toBe("sLiM-gEcKo.ExAmPlE.cOm");
  expect(answers?.[0]?.name).toBe("sLiM-gEcKo.ExAmPlE.cOm");
});

test.each(["TXT", "MX", "CNAME", "CAA"])("there is no %s: an empty answer that is soon forgotten", (type) => {
  const { rcode, answers, authorities } = answered(query("slim-gecko.example.com", type)) as never as Record<
    string,
    unknown[]
  >;
  expect(rcode).toBe("NOERROR");
  expect(answers).toEqual([]);
  expect(authorities).toMatchObject([
    { type: "SOA", name: "slim-gecko.example.com", ttl: 5, data: { minimum: 5 } },
  ]);
});

test("the start of authority is told to who asks", () => {
  expect(answered(query("slim-gecko.example.com", "SOA")).answers).toMatchObject([{ type: "SOA" }]);
});

test("any other name is for somebody else", () => {
  for (const name of [
    "example.com",
    "other.example.com",
    "a.slim-gecko.example.com",
    "slim-gecko.example.org",
  ])
    expect(reply(query(name, "A"), ours)).toEqual({ kind: "forward" });
});

test("EDNS is answered with EDNS, and a version of it that we do not know refused", () => {
  const opt = { type: "OPT", name: ".", udpPayloadSize: 4096, flags: 0, options: [], extendedRcode: 0 };
  const known = answered(
    query("slim-gecko.example.com", "A", { additionals: [{ ...opt, ednsVersion: 0 } as never] }),
  );
  expect(known.additionals).toMatchObject([{ type: "OPT", udpPayloadSize: 1232 }]);
  const unknown = answered(
    query("slim-gecko.example.com", "A", { additionals: [{ ...opt, ednsVersion: 1 } as never] }),
  );
  expect(unknown.additionals).toMatchObject([{ type: "OPT", extendedRcode: 1 }]);
  expect(unknown.answers).toEqual([]);
});

test("the wish for DNSSEC is repeated", () => {
  const opt = { type: "OPT", name: ".", udpPayloadSize: 4096, options: [], extendedRcode: 0, ednsVersion: 0 };
  const wished = query("slim-gecko.example.com", "A", { additionals: [{ ...opt, flags: 1 << 15 } as never] });
  expect(answered(wished).additionals).toMatchObject([{ type: "OPT", flag_do: true }]);
});

test("an error repeats the question letter by letter", () => {
  const { packet } = errorReply(query("oThEr.ExAmPlE.com", "MX"), REFUSED);
  expect(decode(packet)).toMatchObject({
    id: 4711,
    rcode: "REFUSED",
    flag_rd: true,
    questions: [{ name: "oThEr.ExAmPlE.com", type: "MX", class: "IN" }],
  });
  expect(decode(packet).additionals).toEqual([]);
});

test("what is no query gets an error or nothing", () => {
  const bytes = query("slim-gecko.example.com", "A");
  expect(reply(Buffer.alloc(11), ours)).toEqual({ kind: "ignore" });
  const response = Buffer.from(bytes);
  response[2]! |= 0x80;
  expect(reply(response, ours)).toEqual({ kind: "ignore" });
  const update = Buffer.from(bytes);
  update[2]! |= 5 << 3;
  expect(answered(update).rcode).toBe("NOTIMP");
  const cut = answered(bytes.subarray(0, 20));
  expect(cut).toMatchObject({ rcode: "FORMERR", id: 4711 });
  const two = encode({
    type: "query",
    id: 1,
    questions: [
      { name: "a.b", type: "A" },
      { name: "c.d", type: "A" },
    ],
  });
  expect(answered(two).rcode).toBe("FORMERR");
});

test("no bytes make it throw, and every answer can be read", () => {
  const valid = query("slim-gecko.example.com", "A");
  const check = (bytes: Uint8Array) => {
    const decided = reply(Buffer.from(bytes), ours);
    if (decided.kind === "answer") decode(decided.packet);
    if (bytes.length >= 12) decode(errorReply(Buffer.from(bytes), REFUSED).packet);
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), check), { numRuns: 2_000 });
  const flips = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(flips, fc.nat(valid.length), (changes, length) => {
      const bytes = Buffer.from(valid.subarray(0, length));
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      check(bytes);
    }),
    { numRuns: 4_000 },
  );
});
