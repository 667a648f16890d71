/** `linkup requests` */
import type { Exchange } from "../../core/api/request-log-api.ts";
import type { RequestLogClient } from "../../manager/components/local-server/control-client.ts";
import { newManager } from "../context.ts";
import { UsageError } from "../exit-codes.ts";
import { curlCommand } from "../print/curl.ts";
import { exchangeLines, exchangesHeading, exchangeText } from "../print/exchange.ts";
import { endWithReader } from "../print/reader-gone.ts";

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
  if (id !== undefined) return one(log, wholeNumber("ID", id), options);
  if (options.curl) throw new UsageError("--curl needs the id of a request: linkup requests ID --curl");
  const { session, service, failed } = options;
  const limit = options.limit === undefined ? DEFAULT_LIMIT : wholeNumber("--limit", options.limit);
  const filter = { limit, session, service, ...(failed ? { failed } : {}) };
  if (options.follow) return follow(log, filter, options);
  const found = await log.requests(filter);
  if (options.json) process.stdout.write(`${JSON.stringify(found)}\n`);
  else if (found.length === 0) process.stderr.write("No such request has come so far.\n");
  else process.stdout.write(exchangesHeading() + found.map(exchangeLines).join(""));
}

async function one(log: RequestLogClient, id: number, { json, curl, follow }: Options): Promise<void> {
  if (follow) throw new UsageError("One request cannot be followed: leave out its id, or --follow.");
  if (curl && json) throw new UsageError("--curl prints a command, --json the request: one of the two.");
  const exchange = await log.request(id);
  if (curl) {
    const status = await log.status();
    if (!status) throw new Error("The local server has just ended.");
    process.stdout.write(curlCommand(exchange, status.browser_port));
  } else process.stdout.write(json ? `${JSON.stringify(exchange)}\n` : exchangeText(exchange));
}

async function follow(
  log: RequestLogClient,
  filter: Parameters<RequestLogClient["requests"]>[0],
  { json }: Options,
): Promise<void> {
  endWithReader();
  if (!json) process.stdout.write(exchangesHeading());
  await log.followRequests(filter, (line) => {
    if (json) process.stdout.write(`${JSON.stringify(line)}\n`);
    else if ("missed" in line) process.stderr.write(`${line.missed} changes came too fast to be shown.\n`);
    else if (isWorthALine(line)) process.stdout.write(exchangeLines(line));
  });
  process.stderr.write("The local server has ended.\n");
}

/** A line for each when it is over; WebSockets live long, so they have one at their beginning too. */
function isWorthALine({ state, status }: Exchange): boolean {
  return state !== "open" || status === 101;
}

function wholeNumber(what: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`${what} is a whole number, not "${text}".`);
}
