/** Answers of local DNS as the usual tool reads them. */
import { run } from "../../../manager/components/system/machine.ts";
import { check } from "./checks.ts";
import { LONG } from "./systems.ts";

/** What the usual tool says to the answers: about the case of names, EDNS, other types, classes and transports. */
export async function digs(host: string): Promise<void> {
  const dig = (...args: string[]) =>
    run(["dig", "+tries=1", "+time=5", "-p", "8053", "@127.0.0.1", ...args]).catch(
      (error: Error) => error.message,
    );
  const mixed = "SLIM-geCKo.exAMple.COM";
  for (const [what, args, wanted] of [
    [
      "A",
      [mixed, "A"],
      [`${mixed}. 5 IN A 127.0.0.1`, "status: NOERROR", "flags: qr aa rd ra;", "EDNS: version: 0"],
    ],
    ["AAAA over TCP", ["+tcp", host, "AAAA"], ["IN AAAA ::1", "(TCP)"]],
    ["SOA", [host, "SOA"], ["IN SOA linkup.localhost. "]],
    [
      "no MX, with how long that counts",
      [host, "MX"],
      ["status: NOERROR", "ANSWER: 0, AUTHORITY: 1", "5 IN SOA"],
    ],
    ["without EDNS", ["+noedns", host], ["status: NOERROR", "ADDITIONAL: 0"]],
    [
      "EDNS of a version to come",
      ["+edns=5", "+noednsnegotiation", host],
      ["status: BADVERS", "EDNS: version: 0"],
    ],
    [
      "with a cookie and DNSSEC asked for",
      ["+cookie=0123456789abcdef", "+dnssec", host],
      ["status: NOERROR", "127.0.0.1"],
    ],
    ["another class", [host, "CH", "TXT"], ["status: REFUSED"]],
    ["an update", ["+opcode=update", "+noedns", host], ["status: NOTIMP"]],
  ] as const) {
    const said = (await dig(...args)).replaceAll(/[ \t]+/g, " ");
    const lacking = wanted.filter((part) => !said.includes(part));
    check(
      `dig: ${what}`,
      lacking.length === 0 && !/warning|malformed|bad packet|mismatch/i.test(said),
      `${lacking}\n${said}`,
    );
  }
}

/** A long answer of somebody else comes through: cut over UDP, and whole over TCP, which dig tries then by itself. */
export async function digLong(): Promise<void> {
  const said = await run(["dig", "-p", "8053", "@127.0.0.1", LONG, "TXT"]).catch(
    (error: Error) => error.message,
  );
  check(
    "dig: a long answer of another resolver, cut over UDP, is whole over TCP",
    said.includes("Truncated, retrying in TCP mode") && said.includes("ANSWER: 20,"),
    said,
  );
}
