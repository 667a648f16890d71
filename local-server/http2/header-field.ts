/** One field of a header section, as HPACK's tables keep it. */

export const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const PSEUDO_NAME = /^:[a-z]+$/;
/** Neither control characters, nor spaces around it (RFC 9113, 8.2.1). */
const VALUE = /^(?:[!-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[!-\x7e\x80-\xff])?)?$/;

/** Fields of a connection of HTTP/1.1, which HTTP/2 does not have (RFC 9113, 8.2.2). */
export const CONNECTION_SPECIFIC: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

export class HeaderField {
  readonly name: string;
  readonly value: string;
  /** As HPACK and the limit of a header list count it. */
  readonly size: number;
  readonly isPseudo: boolean;
  /** A request with it is malformed. */
  readonly isMalformed: boolean;

  constructor(name: string, value: string) {
    this.name = name;
    this.value = value;
    this.size = name.length + value.length + 32;
    this.isPseudo = name.charCodeAt(0) === 58;
    this.isMalformed =
      !(this.isPseudo ? PSEUDO_NAME : FIELD_NAME).test(name) ||
      !VALUE.test(value) ||
      CONNECTION_SPECIFIC.has(name) ||
      (name === "te" && value.toLowerCase() !== "trailers");
  }
}
