/**
 * The proof that lets a call from server to server into a private session: a member of `tracestate` and `baggage` that
 * Linkup adds on the way to a service, and that the service passes on with the rest. It counts in its own hour and the next.
 */
import { hmacSha256 } from "../hmac.ts";

const HOUR_MS = 60 * 60 * 1000;
/** 128 bits in hexadecimal: a `tracestate` has little room. */
const MAC_LENGTH = 32;

/** The hour of a time in milliseconds since the epoch. */
export function hourOf(time: number): number {
  return Math.floor(time / HOUR_MS);
}

/**
 * The value of the member: `ID.MAC`. `key`: `trace_key` of the session, which the Worker's API tells its owner. `id`: of the
 * invite by which the request was let in, so that its calls end with it; `OWNER` for the owner's own.
 */
export async function traceProof(key: string, session: string, id: string, hour: number): Promise<string> {
  return traceProofOf(id, await hmacSha256(key, traceMessage(session, id, hour)));
}

/** What `traceProof` makes an HMAC-SHA256 of, for runtimes with a synchronous one. */
export function traceMessage(session: string, id: string, hour: number): string {
  return `trace\n${session}\n${id}\n${hour}`;
}

/** `hmac`: in hexadecimal. */
export function traceProofOf(id: string, hmac: string): string {
  return `${id}.${hmac.slice(0, MAC_LENGTH)}`;
}

/** The id of a proof as `accessProofs` finds it. */
export function proofId(proof: string): string {
  return proof.slice(0, proof.indexOf("."));
}
