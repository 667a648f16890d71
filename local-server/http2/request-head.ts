/** The head of a request (RFC 9113, 8.3.1), or the trailers behind its body, as they are decoded. */
import { isToken } from "../../core/http-token.ts";
import { MAX_HEADER_SIZE } from "../http/limits.ts";
import { isHost } from "../http/request-target.ts";
import type { HeaderField } from "./header-field.ts";

/** It becomes a part of an HTTP/1.1 request line: neither spaces nor line breaks. */
const PATH = /^(?:\/[!-~\x80-\xff]*|\*)$/;

const PSEUDO_HEADERS = new Map([
  [":method", "method"],
  [":scheme", "scheme"],
  [":authority", "authority"],
  [":path", "path"],
  [":protocol", "protocol"],
] as const);

class HeaderSection {
  /** Name, value, name, value… */
  readonly lines: string[] = [];
  /** Lines are missing, because there are too many of them. */
  isTooLarge = false;
  protected hasFlaw = false;
  #size = 0;

  /** Takes the next field. */
  add(field: HeaderField): void {
    this.#size += field.size;
    if (this.#size > MAX_HEADER_SIZE) this.isTooLarge = true;
    else if (field.isMalformed) this.hasFlaw = true;
    else if (field.isPseudo) this.addPseudo(field);
    else this.addLine(field);
  }

  protected addPseudo(_field: HeaderField): void {
    this.hasFlaw = true;
  }

  protected addLine({ name, value }: HeaderField): void {
    this.lines.push(name, value);
  }
}

export class TrailerSection extends HeaderSection {
  get isMalformed(): boolean {
    return this.hasFlaw || this.isTooLarge;
  }
}

export class RequestSection extends HeaderSection {
  method: string | undefined;
  scheme: string | undefined;
  authority: string | undefined;
  path: string | undefined;
  protocol: string | undefined;
  /** Bytes of the body; undefined where the client does not say. */
  length: number | undefined;
  #host: string | undefined;

  /** To be asked when all fields are added. */
  get isMalformed(): boolean {
    const { method, scheme, authority, path, protocol } = this;
    if (this.hasFlaw || method === undefined || !isToken(method)) return true;
    if (!isHost(authority ?? this.#host ?? "")) return true;
    if (method === "CONNECT" && protocol === undefined)
      return authority === undefined || scheme !== undefined || path !== undefined;
    if (protocol !== undefined && (method !== "CONNECT" || authority === undefined)) return true;
    if (authority === undefined && this.#host === undefined) return true;
    return scheme === undefined || path === undefined || !PATH.test(path);
  }

  /** Each at most once, and all of them before the lines. */
  protected override addPseudo({ name, value }: HeaderField): void {
    const key = PSEUDO_HEADERS.get(name as ":method");
    if (key === undefined || this[key] !== undefined || this.lines.length > 0) this.hasFlaw = true;
    else this[key] = value;
  }

  protected override addLine(field: HeaderField): void {
    super.addLine(field);
    const { name, value } = field;
    if (name === "host") this.#addHost(value);
    else if (name === "content-length") this.#addLength(value);
  }

  /** With two of them the destination would be ambiguous. */
  #addHost(value: string): void {
    if (this.#host !== undefined) this.hasFlaw = true;
    this.#host = value;
  }

  #addLength(value: string): void {
    const length = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    // Not a number differs from itself.
    if (length !== (this.length ?? length)) this.hasFlaw = true;
    this.length = length;
  }
}
