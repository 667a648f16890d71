/**
 * The filter of the Requests view and of `linkup requests --filter`: words that all have to match, in any order.
 *
 *     checkout status:5xx service:api method:POST path:/x is:lost -path:/static/ "two words"
 *
 * A word without a key is searched in method, URL and sender. A `-` before a word negates it.
 */
import { type Exchange, isFailed } from "../api/request-log-api.ts";

/** From here a request is slow. */
export const SLOW_MS = 1_000;

type Test = (exchange: Exchange) => boolean;

export interface ExchangeQuery {
  matches(exchange: Exchange): boolean;
  /** Words with a key or a value that does not exist: they match nothing. */
  unknown: string[];
}

/** Keys and what they take, for completion and help. */
export const FILTER_KEYS = [
  "status",
  "service",
  "override",
  "method",
  "path",
  "host",
  "session",
  "target",
  "at",
  "trace",
];
/** Words on their own. */
export const FILTER_FLAGS = [
  "lost",
  "slow",
  "failed",
  "open",
  "websocket",
  "edge",
  "overridden",
  "fallback",
  "local",
  "remote",
] as const;

const FLAGS: Record<(typeof FILTER_FLAGS)[number], Test> = {
  lost: ({ session, sender, lost_from }) => lost_from !== null || (session === null && sender !== null),
  slow: ({ timings }) => (timings.total ?? timings.first_byte ?? 0) >= SLOW_MS,
  failed: isFailed,
  open: ({ state }) => state === "open",
  websocket: ({ websocket }) => websocket !== null,
  edge: ({ listener, edge }) => listener === "edge" || edge !== null,
  overridden: ({ override }) => isSet(override),
  fallback: ({ fallback }) => isSet(fallback),
  local: ({ at }) => at === "local",
  remote: ({ at }) => at === "remote" || at === "public",
};

export function parseFilter(text: string): ExchangeQuery {
  const tests: Test[] = [];
  const unknown: string[] = [];
  for (const [whole, minus, word] of text.matchAll(/(-?)((?:[a-z]+:)?(?:"[^"]*"?|\S)+)/gi)) {
    const test = testOf(word!.replaceAll('"', ""));
    if (!test) unknown.push(whole);
    tests.push(test ? (minus ? (exchange) => !test(exchange) : test) : () => false);
  }
  return { matches: (exchange) => tests.every((test) => test(exchange)), unknown };
}

function testOf(word: string): Test | undefined {
  const lower = word.toLowerCase();
  const flag = lower.replace(/^is:/, "");
  if (Object.hasOwn(FLAGS, flag)) return FLAGS[flag as keyof typeof FLAGS];
  const [, key, value = ""] = /^([a-z]+):(.*)$/.exec(lower) ?? [];
  switch (key) {
    case undefined:
      return ({ method, client_host, target, sender, service }) =>
        `${method} ${client_host}${target} ${service ?? ""} ${sender ?? ""}`.toLowerCase().includes(lower);
    case "status":
      return statusTest(value);
    case "service":
      return ({ service }) => service?.toLowerCase() === value;
    case "override":
      return ({ override }) => isSet(override) && override.toLowerCase().includes(value);
    case "method":
      return ({ method }) => method.toLowerCase() === value;
    case "path":
      return ({ target }) => target.toLowerCase().includes(value);
    case "host":
      return ({ client_host }) => client_host.toLowerCase().includes(value);
    case "session":
      return ({ session, lost_from }) => session === value || lost_from === value;
    case "target":
    case "at":
      return ({ at }) => at === value;
    case "trace":
      return ({ trace }) => value !== "" && (trace?.startsWith(value) ?? false);
    case "http":
    case "https":
      return ({ client_host, target }) => lower.includes(`${client_host}${target}`.toLowerCase());
    default:
      return undefined;
  }
}

/** Rows of older files have neither the member nor null. */
function isSet<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}

/** `404`, `5xx`, `4`, `>=400`. */
function statusTest(value: string): Test | undefined {
  const [, operator, number] = /^(>=|<=|>|<)(\d{3})$/.exec(value) ?? [];
  if (number !== undefined) {
    const limit = Number(number);
    return ({ status }) =>
      status !== null &&
      (operator === ">="
        ? status >= limit
        : operator === "<="
          ? status <= limit
          : operator === ">"
            ? status > limit
            : status < limit);
  }
  if (!/^\d{0,3}x{0,2}$/.test(value) || value.length > 3) return undefined;
  const start = value.replaceAll("x", "");
  return ({ status }) => status !== null && String(status).startsWith(start);
}
