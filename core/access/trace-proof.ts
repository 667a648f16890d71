/**
 * The proof that lets a call from server to server into a private session: a member of `tracestate` and `baggage` that
 * Linkup adds on the way to a service, and that the service passes on with the rest. It counts in its own hour and the next.
 */
import { hmacSha256 } from "../hmac.ts";

const HOUR_MS = 60 * 60 * 1000;
/** 128 bits in hexadecimal: a `tracestate` has little room. */
const PROOF_LENGTH = 32;

/** The hour of a time in milliseconds since the epoch. */
export function hourOf(time: number): number {
  return Math.floor(time / HOUR_MS);
}

/** `key`: `trace_key` of the session, which the Worker's API tells its owner. */
export async function traceProof(key: string, session: string, hour: number): Promise<string> {
  return (await hmacSha256(key, `${session}\n${hour}`)).slice(0, PROOF_LENGTH);
}
