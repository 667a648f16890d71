/** What Linkup says when a request has not reached the copy of its service that its target names. */

/** On the response: a `Fallback`. */
export const FALLBACK_HEADER = "linkup-fallback";

export type Fallback = (typeof FALLBACKS)[number];

export const FALLBACKS = [
  /** Routed automatically: nothing listened at the local address, and the remote copy has answered. */
  "local-refused",
  /** Routed automatically: the local copy ended before it answered, and the remote copy has answered. */
  "local-ended",
  /** With `fallthrough`: the local copy has answered 404, and the remote copy has answered. */
  "local-not-found",
  /** The same, but the body of the request was too large to be kept: the 404 is the local copy's. */
  "body-not-kept",
  /** The session whose copy is meant does not exist any more. */
  "session-gone",
  /** Its owner does not let others route to it. */
  "session-not-shared",
  /** It has no such service, or no tunnel to it. */
  "service-missing",
  /** It leads back to a session that has been asked already. */
  "session-loop",
] as const;
