/** `linkup requests` */
import type { Exchange } from "../../core/api/request-log-api.ts";
import type { RequestLogClient } from "../../manager/components/local-server/control-client.ts";
import { newManager } from "../context.ts";
import { UsageError } from "../exit-codes.ts";
import { curlCommand } from "../print/curl.ts";
import { edgeStatusText, exchangeLines, exchangesHeading, exchangeText } from "../print/exchange.ts";
import { print, printJson, printNote, printResult } from "../print/output.ts";
import { exitWhenOutputCloses } from "../print/stdout-errors.ts";

interface Options {
  follow?: boolean;
  session?: string;
  service?: string;
  failed?: boolean;
  limit?: string;
  curl?: boolean;
  json?: boolean;
}

const DEFAULT_LIMIT = 30;

export async function requests(id: string | undefined, options: Options): Promise<void> {
  const log = newManager({ keep: false }).requestLog;
  if (id !== undefined) return showOne(log, wholeNumber("ID", id), options);
  if (options.curl) throw new UsageError("--curl needs a request ID: linkup requests ID --curl");
  const { session, service, failed } = options;
  const limit = options.limit === undefined ? DEFAULT_LIMIT : wholeNumber("--limit", options.limit);
  const filter = { limit, session, service, ...(failed ? { failed } : {}) };
  if (options.follow) return follow(log, filter, options);
  const found = await log.requests(filter);
  if (options.json) printJson(found);
  else if (found.length === 0) printNote("No matching requests so far.\n");
  else print(exchangesHeading() + found.map(exchangeLines).join(""));
}

async function showOne(log: RequestLogClient, id: number, { json, curl, follow }: Options): Promise<void> {
  if (follow) throw new UsageError("--follow cannot be used with a request ID.");
  if (curl && json) throw new UsageError("Use either --curl or --json, not both.");
  const exchange = await log.request(id);
  if (curl) {
    const status = await log.status();
    if (!status) throw new Error("The local server has stopped.");
    print(curlCommand(exchange, status.browser_port));
  } else printResult(json, exchange, () => exchangeText(exchange));
}

async function follow(
  log: RequestLogClient,
  filter: Parameters<RequestLogClient["requests"]>[0],
  { json }: Options,
): Promise<void> {
  exitWhenOutputCloses();
  if (!json) print(exchangesHeading());
  await log.followRequests(filter, (line) => {
    if (json) printJson(line);
    else if ("missed" in line)
      printNote(`${line.missed} changes were skipped: they came too fast to be printed.\n`);
    else if ("dropped" in line)
      printNote(`${line.dropped} requests at the Worker were not reported: there were too many.\n`);
    else if ("watch" in line) printNote(edgeStatusText(line.watch));
    else if (isPrinted(line)) print(exchangeLines(line));
  });
  printNote("The local server has stopped.\n");
}

/** An exchange is printed when it is complete; a WebSocket, which may stay open for long, also when it is opened. */
function isPrinted({ state, status }: Exchange): boolean {
  return state !== "open" || status === 101;
}

function wholeNumber(what: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`${what} must be a whole number, not "${text}".`);
}
