/** Peers that do not speak the protocol that they should. */

/** Its bytes are not a valid HTTP/1.1 message. The message says what is wrong with "it" (`its header line…`). */
export class MalformedMessage extends Error {}

/** A service speaks HTTP/2 without TLS. */
export class Http2Response extends MalformedMessage {
  constructor() {
    super("it speaks HTTP/2 without TLS (h2c), not HTTP/1.1");
  }
}

/** A service has closed the connection, or has sent something else than HTTP/2. */
export class NotHttp2Error extends Error {
  constructor() {
    super("it did not answer in HTTP/2");
  }
}
