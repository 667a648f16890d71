/** Exchanges of the request log as text. */

import { requestFallbackText } from "../../agent-tools/fallback-text.ts";
import type { CapturedBody, EdgeStatus, Exchange, ExchangeDetails } from "../../core/api/request-log-api.ts";
import { english } from "../../core/text.ts";
import { explanationLines } from "./explanation.ts";
import { coloured } from "./output.ts";
import { fitted } from "./table.ts";

/** Fixed column widths, because lines are printed one by one; the last column takes the rest of the terminal. */
const WIDTHS = { id: 5, time: 12, status: 6, method: 7, duration: 9, size: 9, service: 16 };

export function exchangesHeading(): string {
  const line = columns(["ID", "TIME", "STATUS", "METHOD", "DURATION", "SIZE", "SERVICE", "REQUEST"]);
  return `${coloured("dim", fitted(line))}\n`;
}

/** A line for the exchange, with further ones for what is special about it. */
export function exchangeLines(exchange: Exchange): string {
  const { id, time, method, client_host, target, timings, request_bytes, response_bytes } = exchange;
  const [status, colour] = statusOf(exchange);
  const line = columns([
    String(id),
    clock(time),
    status,
    method,
    duration(timings.total),
    size(request_bytes + response_bytes),
    whereTo(exchange),
    client_host + target,
  ]);
  const notes = [];
  if (exchange.sender)
    notes.push(
      exchange.lost_from === null
        ? `no session; likely sent by ${exchange.sender}`
        : `lost the session ${exchange.lost_from}; likely sent by ${exchange.sender}`,
    );
  if (exchange.broken) notes.push(brokenText(exchange.broken));
  notes.push(...detours(exchange));
  const lines = [
    coloured(colour, fitted(line)),
    ...notes.map((note) => coloured("dim", fitted(`      ${note}`))),
  ];
  return `${lines.join("\n")}\n`;
}

export function exchangeText(exchange: ExchangeDetails): string {
  const { id, method, protocol, listener, secure, host, target, timings, broken, edge } = exchange;
  const { sender, session } = exchange;
  const [status, colour] = statusOf(exchange);
  const url = `${secure ? "https" : "http"}://${host}${target}`;
  const { queue, connect, first_byte, total } = timings;
  const took = [
    ...(queue > 0 ? [`queued ${duration(queue)}`] : []),
    ...(connect === null ? [] : [`connect ${duration(connect)}`]),
    ...(first_byte === null ? [] : [`first byte ${duration(first_byte)}`]),
    ...(total === null ? ["in flight"] : [`total ${duration(total)}`]),
  ].join(", ");
  const arrival = listener === "edge" ? "at the Worker only" : `${listener} listener`;
  const when = [new Date(exchange.time).toISOString(), protocol, arrival].filter(Boolean).join(", ");
  return [
    `${coloured("bold", `${id}  ${method}`)} ${coloured(colour, status)}  ${when}\n`,
    explanationLines(url, exchange.explanation),
    `  ${took}; ${size(exchange.request_bytes)} sent, ${size(exchange.response_bytes)} received\n`,
    ...(edge && listener !== "edge"
      ? [
          `  at the Worker${edge.after ? ", which got it from here" : ""}: ${duration(edge.first_byte)} until the response${edge.total === null ? "" : `, total ${duration(edge.total)}`}\n`,
        ]
      : []),
    ...(broken ? [`  ${coloured("red", brokenText(broken))}\n`] : []),
    ...(exchange.fallback === undefined ? [] : [`  ${fallbackNote(exchange.fallback)}\n`]),
    ...(session === null && sender ? [`  likely sent by ${sender}\n`, ...sessionSources(exchange)] : []),
    ...webSocket(exchange),
    headersText("Request headers", exchange.request_headers),
    bodyText(exchange.request_body),
    headersText("Response headers", exchange.response_headers),
    bodyText(exchange.response_body),
  ].join("");
}

/** Whether the requests that only the Worker sees are shown too. */
export function edgeStatusText({ session, state }: EdgeStatus): string {
  switch (state) {
    case "connecting":
      return "";
    case "watching":
      return `Showing what the Worker sees of ${session} too.\n`;
    case "disconnected":
      return `Lost the connection to the Worker; requests of ${session} that do not pass this machine are missing until it is back.\n`;
    case "gone":
      return `The Worker has no session ${session} any more.\n`;
    case "unsupported":
      return `The Worker of ${session} is an older version: only requests that reach this machine are shown.\n`;
  }
}

function columns(cells: string[]): string {
  const padded = Object.values(WIDTHS).map((width, i) => cut(cells[i]!, width).padEnd(width));
  return [...padded, cells.at(-1)].join(" ");
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

function statusOf({ state, status, broken }: Exchange): [string, "green" | "yellow" | "red" | "dim"] {
  const shown = status === null ? "" : String(status);
  if (state === "open") return [shown || "…", "dim"];
  if (broken) return [shown || "✗", "red"];
  return [shown, status! >= 500 ? "red" : status! >= 400 ? "yellow" : "green"];
}

function whereTo({ service, at }: Exchange): string {
  if (service === null) return at === "public" ? "(public host)" : "";
  return `${service} ${at}`;
}

/** Why it did not go where its service's other requests go. */
function detours({ override, fallback }: Exchange): string[] {
  return [
    ...(override ? [`override ${override}`] : []),
    ...(fallback === undefined ? [] : [fallbackNote(fallback)]),
  ];
}

function fallbackNote(fallback: string): string {
  return `${fallback}: ${requestFallbackText(fallback, english)}`;
}

function brokenText({ by, reason }: NonNullable<Exchange["broken"]>): string {
  return by === null ? `aborted: ${reason}` : `aborted by the ${by}: ${reason}`;
}

function sessionSources({ looked_at }: ExchangeDetails): string[] {
  return looked_at.map(({ source, value }) => `    ${source}: ${value ?? coloured("dim", "(none)")}\n`);
}

function webSocket({ websocket }: ExchangeDetails): string[] {
  if (!websocket) return [];
  const { client_frames, service_frames, client_close, service_close } = websocket;
  const closed = (code: number | null) => (code === null ? "" : `, closed with ${code}`);
  return [
    `  WebSocket: ${client_frames} frames from the client${closed(client_close)}; ` +
      `${service_frames} from the service${closed(service_close)}\n`,
  ];
}

export function headersText(title: string, headers: [string, string][] | null): string {
  if (!headers) return "";
  return `${coloured("bold", title)}\n${headers.map(([name, value]) => `  ${coloured("cyan", name)}: ${value}\n`).join("")}`;
}

export function bodyText(body: CapturedBody | null): string {
  if (!body) return "";
  return `\n${body.text ?? `(base64) ${body.base64}`}${body.cut ? coloured("dim", "…") : ""}\n\n`;
}

/** `09:41:07.123` in local time. */
function clock(time: number): string {
  return `${new Date(time).toTimeString().slice(0, 8)}.${String(time % 1_000).padStart(3, "0")}`;
}

/** About three digits: `12.3 ms`, `340 ms`, `1.25 s`. */
function duration(ms: number | null): string {
  if (ms === null) return "";
  if (ms < 100) return `${ms.toFixed(1)} ms`;
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(2)} s`;
}

function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
