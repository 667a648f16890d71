/** What HTTP/2 connections may take, to clients and to services alike. */
import { MAX_HEADER_SIZE } from "../downstream/http1-front.ts";

export const HTTP2_LIMITS = {
  // With the default of 10 MB, pages of 200 and more streams lose most of their requests.
  maxSessionMemory: 1000,
  maxHeaderListPairs: 2000,
  maxSendHeaderBlockLength: 2 * MAX_HEADER_SIZE,
} as const;

export const HTTP2_SETTINGS = {
  /** Bytes that the other side may have under way to us in one stream: what nobody reads there holds no other up. */
  initialWindowSize: 262_144,
  maxHeaderListSize: MAX_HEADER_SIZE,
} as const;

/** Streams at a time. */
export const MAX_STREAMS = 256;
