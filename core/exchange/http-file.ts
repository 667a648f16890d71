/** Requests in the format of .http files, which the REST Client and other editors send. Secrets stand there as `***`. */
import type { ExchangeDetails, ReplayRequest } from "../api/request-log-api.ts";

/** Headers that each client writes by itself. */
const WRITTEN_BY_CLIENTS: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "host",
  "te",
  "transfer-encoding",
]);

export function printHttpFile(exchange: ExchangeDetails): string {
  const { id, method, secure, client_host, target, request_headers, request_body, request_bytes } = exchange;
  const headers = request_headers.filter(([name]) => !WRITTEN_BY_CLIENTS.has(name.toLowerCase()));
  const body = request_body?.text !== undefined && !request_body.cut ? request_body.text : undefined;
  const notes = [
    `### Request ${id} of Linkup's log`,
    ...(headers.some(([, value]) => value.includes("***"))
      ? ["# Each *** is a secret. Linkup sends it as it was, but only to where it went before."]
      : []),
    ...(request_bytes > 0 && body === undefined ? ["# The body was not kept."] : []),
  ];
  const lines = headers.map(([name, value]) => `${name}: ${value.replace(/[\r\n]+/g, " ")}`);
  const url = `${secure ? "https" : "http"}://${client_host}${target}`;
  return `${[...notes, `${method} ${url} HTTP/1.1`, ...lines].join("\n")}\n${body === undefined ? "" : `\n${body}\n`}`;
}

export interface HttpFileRequest extends NonNullable<ReplayRequest["edited"]> {
  url: string;
}

/** The first request of the text. Throws an Error that names what is wrong. */
export function parseHttpFile(text: string): HttpFileRequest {
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  let at = lines.findIndex((line) => line.trim() !== "" && !/^(#|\/\/|@)/.test(line.trim()));
  if (at === -1) throw new Error("There is no request in it.");
  const [, method = "GET", url] = /^(?:([A-Za-z-]+)\s+)?(\S+)(?:\s+HTTP\/[\d.]+)?\s*$/.exec(lines[at]!) ?? [];
  if (url === undefined || !/^https?:\/\//i.test(url) || !URL.canParse(url))
    throw new Error(`Line ${at + 1} is not a method and an http(s) URL: ${lines[at]}`);
  const headers: [string, string][] = [];
  for (at++; at < lines.length && lines[at]!.trim() !== ""; at++) {
    const line = lines[at]!;
    if (/^(#|\/\/)/.test(line)) continue;
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined) throw new Error(`Line ${at + 1} is not a header: ${line}`);
    headers.push([name, value!]);
  }
  const end = lines.findIndex((line, i) => i > at && line.startsWith("###"));
  const body = lines
    .slice(at + 1, end === -1 ? undefined : end)
    .join("\n")
    .replace(/\n$/, "");
  return {
    method: method.toUpperCase(),
    url,
    target: targetOf(url),
    headers,
    body: body === "" ? null : body,
  };
}

/** As it is written, without what the URL parser would normalise. */
function targetOf(url: string): string {
  const path = url.replace(/^https?:\/\/[^/?#]*/i, "").replace(/#.*$/s, "");
  return path.startsWith("/") ? path : `/${path}`;
}
