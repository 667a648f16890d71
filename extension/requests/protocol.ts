/** Messages between the Requests view and its page. */
import type { EdgeStatus, Exchange, ExchangeDetails } from "../../core/api/request-log-api.ts";
import type { HeaderLine } from "../../core/exchange/header-changes.ts";

/** Rows that are kept; the oldest go first. */
export const MAX_ROWS = 10_000;

export type ToPage =
  /** All rows anew. */
  | { type: "rows"; rows: Exchange[]; words: Words }
  /** New and changed rows. */
  | { type: "changed"; rows: Exchange[] }
  | { type: "status"; status: FeedStatus }
  | { type: "details"; details: ShownDetails }
  | { type: "gone"; id: number };

export type FromPage =
  | { type: "ready" }
  | { type: "details"; id: number }
  | { type: "clear" }
  | { type: "bodies"; keep: boolean }
  | { type: "start" }
  /** From a file back to what comes. */
  | { type: "live" }
  | { type: "action"; action: RowAction; ids: number[] };

export type RowAction =
  | "copyCurl"
  | "copyUrl"
  | "openInBrowser"
  | "goToConfig"
  | "replay"
  | "edit"
  | "compare"
  | "saveHar";

/** What can be done with a request of a file: it is in no log. */
export const FILE_ACTIONS: readonly RowAction[] = ["copyUrl", "openInBrowser"];

export interface FeedStatus {
  /** False while no local server runs. */
  connected: boolean;
  watched: EdgeStatus[];
  /** Exchanges that the Worker left out, and changes that came too fast, since the view was cleared. */
  dropped: number;
  missed: number;
  /** Older rows were given up for newer ones. */
  truncated: boolean;
  /** Bodies are kept from now on. */
  bodies: boolean;
  /** The name of the HAR whose requests are shown instead. */
  file: string | null;
}

/** Details, and what is made of them for people. */
export interface ShownDetails extends ExchangeDetails {
  routing: string[];
  request: HeaderLine[];
  response: HeaderLine[];
}

/** The page's texts, in the user's language. */
export type Words = Record<Word, string>;
export type Word = (typeof WORDS)[number];

export const WORDS = [
  "filter",
  "override",
  "elsewhere",
  "filterHelp",
  "unknownWord",
  "pause",
  "resume",
  "clear",
  "keepBodies",
  "keepingBodies",
  "saveAll",
  "time",
  "method",
  "status",
  "url",
  "service",
  "target",
  "hops",
  "duration",
  "size",
  "foundBy",
  "local",
  "remote",
  "public",
  "lost",
  "atWorker",
  "here",
  "empty",
  "noMatch",
  "disconnected",
  "start",
  "paused",
  "truncated",
  "dropped",
  "missed",
  "connecting",
  "workerDisconnected",
  "workerGone",
  "unsupported",
  "noLonger",
  "routing",
  "timing",
  "trace",
  "traceWorker",
  "traceHere",
  "gapTunnel",
  "gapWay",
  "gapQueue",
  "gapConnect",
  "gapService",
  "gapUnseen",
  "traceCut",
  "requestHeaders",
  "responseHeaders",
  "requestBody",
  "responseBody",
  "bodyNotKept",
  "truncatedBody",
  "frames",
  "events",
  "likelySender",
  "added",
  "changed",
  "removed",
  "before",
  "queue",
  "connect",
  "firstByte",
  "receive",
  "workerHop",
  "workerAfter",
  "total",
  "open",
  "brokenByClient",
  "brokenByService",
  "brokenAtWorker",
  "copyCurl",
  "copyUrl",
  "openInBrowser",
  "goToConfig",
  "filterService",
  "filterOverride",
  "filterPath",
  "filterTrace",
  "replay",
  "edit",
  "compare",
  "saveHar",
  "count",
  "file",
  "live",
  "replayOf",
  "requests",
  "details",
] as const;
