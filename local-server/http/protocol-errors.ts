/** A service that does not speak the protocol that its location promises. */

/** Its bytes are not a valid HTTP/1.1 response. */
export class MalformedResponse extends Error {}

/** It speaks HTTP/2 without TLS. */
export class Http2Response extends MalformedResponse {
  constructor() {
    super("it speaks HTTP/2 without TLS (h2c), not HTTP/1.1");
  }
}

/** It has closed the connection, or has sent something else than HTTP/2. */
export class NotHttp2Error extends Error {
  constructor() {
    super("it did not answer in HTTP/2");
  }
}
