/** Limits of HTTP messages and connections, downstream and upstream alike. */

/** Bytes of a header section. Cookies of `localhost` are shared by all its ports, so they grow large on a developer's machine. */
export const MAX_HEADER_SIZE = 131_072;

/** How long a connection may take for a TLS handshake or a request's head. */
export const HEAD_TIMEOUT_MS = 10_000;

export const HTTP2_LIMITS = {
  // MB. With the default of 10, pages of 200 and more streams lose most of their requests.
  maxSessionMemory: 1000,
  maxHeaderListPairs: 2000,
  maxSendHeaderBlockLength: 2 * MAX_HEADER_SIZE,
} as const;

export const HTTP2_SETTINGS = {
  /** Bytes in flight in one stream: an unread stream does not block the others. */
  initialWindowSize: 262_144,
  maxHeaderListSize: MAX_HEADER_SIZE,
} as const;

/** Concurrent streams of an HTTP/2 connection. */
export const MAX_STREAMS = 256;
