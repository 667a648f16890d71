/** The head of a request to the Worker. */
import type { RequestHead } from "../../core/routing/routing-input.ts";

/** What several steps read of a request, each access to which is a call out of JavaScript. */
export interface ReceivedHead extends RequestHead {
  readonly method: string;
  /** Of the URL: a proxy in front of the Worker may have ended TLS. */
  readonly scheme: "http" | "https";
}

/** Undefined for a target without a path (`OPTIONS *`): nothing marks the end of its host. */
export function headOf(request: Request): ReceivedHead | undefined {
  // A getter in an object that is made for each request takes longer than to read all of these.
  const { url, headers, method } = request;
  if (!url.startsWith(last.origin)) {
    const host = url.indexOf("//") + 2;
    const path = url.indexOf("/", host);
    if (path === -1) return undefined;
    last = {
      origin: url.slice(0, path + 1),
      host: url.slice(host, path),
      scheme: url.startsWith("https:") ? "https" : "http",
    };
  }
  const destination = headers.get("linkup-destination");
  return {
    host: last.host,
    target: url.slice(last.origin.length - 1),
    scheme: last.scheme,
    method,
    header: (name) => (name === "linkup-destination" ? destination : headers.get(name)),
  };
}
/** What the latest URL begins with, up to its path's slash: the next one mostly begins the same. A URL never begins with a space. */
let last: { origin: string; host: string; scheme: ReceivedHead["scheme"] } = {
  origin: " ",
  host: "",
  scheme: "http",
};
