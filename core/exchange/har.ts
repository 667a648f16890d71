/** HAR 1.2 of exchanges of the log, and back. Secrets are `***` there as in the log. */
import type { CapturedBody, Exchange, ExchangeDetails } from "../api/request-log-api.ts";

export interface Har {
  log: {
    version: "1.2";
    creator: { name: string; version: string };
    entries: HarEntry[];
  };
}

interface NameValue {
  name: string;
  value: string;
}

interface HarEntry {
  startedDateTime: string;
  time: number;
  request: {
    method: string;
    url: string;
    httpVersion: string;
    cookies: NameValue[];
    headers: NameValue[];
    queryString: NameValue[];
    postData?: { mimeType: string; text: string };
    headersSize: -1;
    bodySize: number;
  };
  response: {
    status: number;
    statusText: string;
    httpVersion: string;
    cookies: NameValue[];
    headers: NameValue[];
    content: { size: number; mimeType: string; text?: string; encoding?: "base64" };
    redirectURL: string;
    headersSize: -1;
    bodySize: number;
  };
  cache: Record<string, never>;
  timings: { blocked: number; connect: number; send: number; wait: number; receive: number };
  serverIPAddress?: string;
  comment?: string;
  /** All that HAR has no member for. */
  _linkup: Exchange;
}

export function harOf(exchanges: readonly ExchangeDetails[], version: string): Har {
  return { log: { version: "1.2", creator: { name: "Linkup", version }, entries: exchanges.map(entryOf) } };
}

function entryOf(details: ExchangeDetails): HarEntry {
  const { explanation, looked_at, request_headers, response_headers, request_body, response_body, ...rest } =
    details;
  const { sent_headers, service_headers, ...exchange } = rest;
  const { method, secure, client_host, target, protocol, timings, status, request_bytes, response_bytes } =
    exchange;
  const url = `${secure ? "https" : "http"}://${client_host}${target}`;
  const { queue, connect, first_byte, total } = timings;
  const wait = Math.max(0, (first_byte ?? total ?? 0) - queue - (connect ?? 0));
  const receive = Math.max(0, (total ?? 0) - (first_byte ?? total ?? 0));
  const type = headerOf(response_headers ?? [], "content-type") ?? "";
  return {
    startedDateTime: new Date(exchange.time).toISOString(),
    time: Math.max(0, queue) + (connect ?? 0) + wait + receive,
    request: {
      method,
      url,
      httpVersion: protocol || "HTTP/1.1",
      cookies: [],
      headers: namesAndValues(request_headers),
      queryString: URL.canParse(url)
        ? [...new URL(url).searchParams].map(([name, value]) => ({ name, value }))
        : [],
      ...(request_body?.text === undefined
        ? {}
        : {
            postData: {
              mimeType: headerOf(request_headers, "content-type") ?? "",
              text: request_body.text,
            },
          }),
      headersSize: -1,
      bodySize: request_bytes,
    },
    response: {
      status: status ?? 0,
      statusText: "",
      httpVersion: protocol || "HTTP/1.1",
      cookies: [],
      headers: namesAndValues(response_headers ?? []),
      content: { size: response_bytes, mimeType: type, ...contentOf(response_body) },
      redirectURL: headerOf(response_headers ?? [], "location") ?? "",
      headersSize: -1,
      bodySize: response_bytes,
    },
    cache: {},
    timings: { blocked: Math.max(0, queue), connect: connect ?? -1, send: 0, wait, receive },
    ...(exchange.service === null ? {} : { comment: `${exchange.service} ${exchange.at ?? ""}`.trim() }),
    _linkup: exchange,
  };
}

function namesAndValues(headers: [string, string][]): NameValue[] {
  return headers.map(([name, value]) => ({ name, value }));
}

function headerOf(headers: [string, string][], wanted: string): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
}

function contentOf(body: CapturedBody | null): { text?: string; encoding?: "base64" } {
  if (!body) return {};
  return body.text === undefined ? { text: body.base64!, encoding: "base64" } : { text: body.text };
}
