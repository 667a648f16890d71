/** Sends requests of the log to the local and to the remote copy of their service, and compares what these answer. */
import { changesNothing, type Exchange, type ReplayResponse } from "../../core/api/request-log-api.ts";
import { compareResponses, type Difference } from "../../core/exchange/compare-responses.ts";
import { type Text, text } from "../../core/text.ts";
import type { RequestLogClient } from "../components/local-server/control-client.ts";
import { LinkupError } from "../model/problem.ts";
import type { SessionRecord } from "../model/state.ts";

export interface CompareRequest {
  /** These requests of the log… */
  ids?: readonly number[];
  /** …or how many of the newest that can be compared, each method and URL once. */
  last?: number;
  service?: string;
  /** Also requests whose method may change something: the user has agreed. */
  unsafe?: boolean;
  /** Secrets are sent to both copies, although the request went to one of them only: the user has agreed. */
  secrets?: boolean;
}

/** One request and both answers to it. */
export interface ComparedRow {
  id: number;
  method: string;
  /** Path and query. */
  target: string;
  service: string;
  /** Why it was not sent; then there is nothing else. */
  skipped: Text | null;
  local: CopyResponse | null;
  remote: CopyResponse | null;
  differences: Difference[];
  /** Headers that one copy did not get, because they are secrets that went to the other. */
  withheld: string[];
}

/** What one copy answered. */
export interface CopyResponse extends Pick<ReplayResponse, "status" | "url" | "ms" | "headers" | "body"> {}

const DEFAULT_LAST = 50;
const MAX_LAST = 1_000;
/** Sent at the same time; each goes to both copies at once. */
const CONCURRENT = 4;

export async function compareCopies(
  log: RequestLogClient,
  { name, config }: SessionRecord,
  { ids, last = DEFAULT_LAST, service, unsafe = false, secrets = false }: CompareRequest,
  signal?: AbortSignal,
): Promise<ComparedRow[]> {
  const all = await log.requests({ limit: MAX_LAST, session: name ?? undefined, service });
  const chosen = ids ? chosenOnes(all, ids) : newest(all, last, unsafe);
  const rows: ComparedRow[] = [];
  const ignore = config.compare?.ignore ?? [];
  const compareOne = async (exchange: Exchange): Promise<ComparedRow> => {
    const { id, method, target } = exchange;
    const row = { id, method, target, service: exchange.service ?? "" };
    const none = { local: null, remote: null, differences: [], withheld: [] };
    const copies = config.services.find(({ name }) => name === exchange.service);
    if (!copies) return { ...row, ...none, skipped: text("No service of the session served it.") };
    if (!unsafe && !changesNothing(method))
      return { ...row, ...none, skipped: text("{0} may change data in both copies.", method) };
    try {
      const [local, remote] = await Promise.all(
        [copies.local, copies.remote].map((location) => log.replay(id, { location, secrets })),
      );
      return {
        ...row,
        skipped: null,
        local: local!,
        remote: remote!,
        differences: compareResponses(local!, remote!, ignore),
        withheld: [...new Set([...local!.withheld, ...remote!.withheld])],
      };
    } catch (error) {
      if (!(error instanceof LinkupError)) throw error;
      return { ...row, ...none, skipped: error.problem.text ?? text(error.problem.message) };
    }
  };
  for (let start = 0; start < chosen.length; start += CONCURRENT) {
    signal?.throwIfAborted();
    rows.push(...(await Promise.all(chosen.slice(start, start + CONCURRENT).map(compareOne))));
  }
  return rows;
}

function chosenOnes(all: Exchange[], ids: readonly number[]): Exchange[] {
  return ids.map((id) => {
    const found = all.find((exchange) => exchange.id === id);
    if (found) return found;
    throw new LinkupError(
      "request-unknown",
      text("There is no request {0} of this session, or it is no longer kept.", id),
    );
  });
}

/** The newest of each method and URL, oldest first. */
function newest(all: Exchange[], last: number, unsafe: boolean): Exchange[] {
  const seen = new Set<string>();
  const found = all.toReversed().filter(({ service, method, client_host, target, status, state }) => {
    const key = `${method} ${client_host}${target}`;
    const isUsable =
      service !== null && state !== "open" && status !== 101 && (unsafe || changesNothing(method));
    if (!isUsable || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  return found.slice(0, last).reverse();
}
