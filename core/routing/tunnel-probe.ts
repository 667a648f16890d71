/**
 * The end-to-end probe of a tunnel: a request that is a loop for the local server, so that it answers itself and no
 * service sees it. Its answer proves that it came from this session's local server: a Worker, too, answers loops.
 */

/** `<session> <nonce>`, the nonce as 32 hexadecimal digits. */
export const PROBE_HEADER = "linkup-probe";
/** The hexadecimal HMAC-SHA256 of `probeMessage`, with the `session_token` as its key. */
export const PROBE_PROOF_HEADER = "linkup-probe-proof";

export function probeHeader(session: string, nonce: string): string {
  return `${session} ${nonce}`;
}

/** The session that a probe asks for; undefined for other requests. */
export function probedSession(header: string | null | undefined): string | undefined {
  return /^([a-z0-9-]{1,63}) [0-9a-f]{32}$/.exec(header ?? "")?.[1];
}

/** Differs from every other message that is authenticated with the same key. */
export function probeMessage(header: string): string {
  return `linkup-probe\n${header}`;
}
