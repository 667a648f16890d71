/** A request's head for HTTP/2, from the text that HTTP/1.1 would send. */
import type { OutgoingHttpHeaders } from "node:http2";
import { HOP_BY_HOP } from "../../core/routing/proxy-headers.ts";
import { http2Fields } from "../http/http2-fields.ts";
import type { SentRequest } from "./connection.ts";

/** RFC 9113, 8.2.2 and 8.3.1: what belongs to one connection has no place in it, and the host has another one. */
export function http2Head({ origin, method, head }: SentRequest): OutgoingHttpHeaders {
  const [line = "", ...lines] = head.trimEnd().split("\r\n");
  const target = line.slice(method.length + 1, line.lastIndexOf(" "));
  const raw: string[] = [];
  let authority = "";
  for (const text of lines) {
    const colon = text.indexOf(":");
    const name = text.slice(0, colon).toLowerCase();
    const value = text.slice(colon + 1).trim();
    if (name === "host") authority = value;
    else if (name === "te") raw.push(name, "trailers");
    else if (name === "trailer" || (name !== "http2-settings" && !HOP_BY_HOP.has(name)))
      raw.push(name, value);
  }
  return {
    ":method": method,
    ":scheme": origin.slice(0, origin.indexOf(":")),
    ":authority": authority,
    ":path": target,
    ...http2Fields(raw),
  };
}
