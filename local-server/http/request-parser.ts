/** Parses the heads of one connection's HTTP/1 requests. */
import { FieldParser, parseFields } from "./field-parser.ts";
import { Fields, FieldsCache } from "./fields.ts";
import { MalformedMessage } from "./protocol-errors.ts";

export interface RequestHeadLines {
  method: string;
  /** As the request line has it. */
  target: string;
  protocol: "HTTP/1.0" | "HTTP/1.1";
  fields: Fields;
}

/** RFC 9112, 3: an origin, an absolute, an authority or an asterisk form, of which only visible characters are checked here. */
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-~\x80-\xff]+) HTTP\/1\.([01])$/;

export class RequestHeadParser {
  readonly #parser = new FieldParser();
  readonly #cache = new FieldsCache();
  /** The header lines of the request before, and what they were. */
  #text = "";
  #fields = new Fields([]);

  /** `text`: a head without the empty line that ends it. Throws MalformedMessage. */
  parse(text: string): RequestHeadLines {
    const end = text.indexOf("\r\n");
    const line = REQUEST_LINE.exec(end === -1 ? text : text.slice(0, end));
    if (!line) throw new MalformedMessage("its request line is not one of HTTP/1.x");
    const fields = end === -1 ? new Fields([]) : this.#parseFields(text, end + 2);
    return {
      method: line[1]!,
      target: line[2]!,
      protocol: line[3] === "0" ? "HTTP/1.0" : "HTTP/1.1",
      fields,
    };
  }

  /** The same object for the same lines. */
  #parseFields(text: string, start: number): Fields {
    if (text.length - start === this.#text.length && text.startsWith(this.#text, start)) return this.#fields;
    refuseDoubtful(text);
    this.#fields = this.#cache.intern(this.#parser.parse(text, start).raw);
    this.#text = text.slice(start);
    return this.#fields;
  }
}

/** A request's trailers as name, value, name, value… They come too late to say where it goes and how long it is. */
export function parseTrailers(text: string): string[] {
  refuseDoubtful(text);
  if (/^(?:connection|content-length|host|transfer-encoding):/im.test(text))
    throw new MalformedMessage("it has a trailer that must be a header");
  return parseFields(text);
}

/** What is read past in a response: in a request, a service may take it for something else. */
function refuseDoubtful(text: string): void {
  if (DOUBTFUL.test(text)) throw new MalformedMessage("it has a folded header line or a control character");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is about
const DOUBTFUL = /\r\n[ \t]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;
