/** What a client does against the protocol (RFC 9113, 5.4). */

/** Ends the connection. */
export class ConnectionError extends Error {
  /** One of `ErrorCode`. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
