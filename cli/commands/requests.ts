/** `linkup requests` */
import { readFile } from "node:fs/promises";
import { type Exchange, type ExchangeDetails, isFailed } from "../../core/api/request-log-api.ts";
import { curlCommand } from "../../core/exchange/curl.ts";
import { type ExchangeQuery, parseFilter } from "../../core/exchange/filter.ts";
import { type Har, harOf } from "../../core/exchange/har.ts";
import type { RequestLogClient } from "../../manager/components/local-server/control-client.ts";
import type { Manager } from "../../manager/manager.ts";
import type { PreviewSelector } from "../../manager/operations/follow-previews.ts";
import type { OtlpExport } from "../../manager/operations/otlp-export.ts";
import { findConfig, newManager } from "../context.ts";
import { EXIT, UsageError } from "../exit-codes.ts";
import { edgeStatusText, exchangeLines, exchangesHeading, exchangeText } from "../print/exchange.ts";
import { print, printJson, printNote, printResult } from "../print/output.ts";
import { exitWhenOutputCloses } from "../print/stdout-errors.ts";
import { version } from "../version.ts";

interface Options {
  follow?: boolean;
  session?: string;
  service?: string;
  failed?: boolean;
  filter?: string;
  har?: boolean;
  from?: string;
  otlp?: string;
  limit?: string;
  curl?: boolean;
  json?: boolean;
}

const DEFAULT_LIMIT = 30;
const MAX_LIMIT = 100_000;

export async function requests(id: string | undefined, options: Options): Promise<void> {
  const manager = newManager({ keep: false });
  const log = manager.requestLog;
  if (id !== undefined) return showOne(log, wholeNumber("ID", id), options);
  if (options.curl) throw new UsageError("--curl needs a request ID: linkup requests ID --curl");
  const { session, service, failed } = options;
  const limit = options.limit === undefined ? DEFAULT_LIMIT : wholeNumber("--limit", options.limit);
  const query = parseFilter(options.filter ?? "");
  const [unknown] = query.unknown;
  if (unknown !== undefined) throw new UsageError(`--filter has the unknown word "${unknown}".`);
  const filter = { session, service, ...(failed ? { failed } : {}) };
  if (options.follow && options.har) throw new UsageError("Use either --follow or --har, not both.");
  if (options.from !== undefined && options.follow)
    throw new UsageError("Use either --follow or --from, not both.");
  if (options.follow) {
    // Of a preview nothing passes this machine: its requests are followed at the Worker, for as long as this command runs.
    const previews = await manager.keepFollowingPreviews(
      await followedPreviews(manager, session),
      ({ message }) => printNote(`Previews that are made meanwhile are not shown: ${message}\n`),
    );
    try {
      return await follow(log, { ...filter, limit }, query, options);
    } finally {
      previews.dispose();
      await manager.dispose();
    }
  }
  // The words are understood here, so the log has to give all that they may mean.
  const file = options.from === undefined ? undefined : await readHarFile(options.from);
  const all =
    file?.filter(byOptions(options)) ??
    (await log.requests({ ...filter, limit: options.filter === undefined ? limit : MAX_LIMIT }));
  const found = all.filter((exchange) => query.matches(exchange)).slice(-limit);
  if (options.otlp !== undefined) await exportAll(found, options.otlp);
  else if (options.har)
    print(
      `${JSON.stringify(file ? harOf(found as ExchangeDetails[], version) : await readHar(log, found), null, 1)}\n`,
    );
  else if (options.json) printJson(found);
  else if (found.length === 0) printNote("No matching requests so far.\n");
  else print(exchangesHeading() + found.map(exchangeLines).join(""));
}

/** Those of this folder's linkup.yaml unless a session is named. */
async function followedPreviews(manager: Manager, session: string | undefined): Promise<PreviewSelector> {
  if (session !== undefined) return { name: session };
  const configPath = findConfig(undefined);
  return { configPaths: configPath === undefined ? [] : [await manager.knownPath(configPath)] };
}

async function readHarFile(path: string): Promise<ExchangeDetails[]> {
  const { parseHar } = await import("../../core/exchange/har-reader.ts");
  const text = await readFile(path, "utf8");
  try {
    return parseHar(text);
  } catch (error) {
    throw new UsageError(`${path} is not a HAR file: ${(error as Error).message}`);
  }
}

function byOptions({ session, service, failed }: Options): (exchange: Exchange) => boolean {
  return (exchange) =>
    (session === undefined || exchange.session === session) &&
    (service === undefined || exchange.service === service) &&
    (!failed || isFailed(exchange));
}

async function exportAll(found: readonly Exchange[], endpoint: string): Promise<void> {
  const spans = await openExport(endpoint);
  for (const exchange of found) spans.add(exchange);
  await spans.end();
}

async function openExport(endpoint: string): Promise<OtlpExport> {
  if (!/^https?:\/\//i.test(endpoint) || !URL.canParse(endpoint))
    throw new UsageError(`--otlp must be the http(s) URL of a collector, not "${endpoint}".`);
  const { OtlpExport } = await import("../../manager/operations/otlp-export.ts");
  return new OtlpExport(endpoint, version, (message) => {
    process.exitCode = EXIT.failed;
    printNote(`The collector at ${endpoint} did not accept the spans: ${message}\n`);
  });
}

async function readHar(log: RequestLogClient, found: readonly Exchange[]): Promise<Har> {
  const details: ExchangeDetails[] = [];
  // One after the other: the local server serves pages meanwhile.
  for (const { id } of found) {
    const one = await log.request(id).catch(() => undefined);
    if (one) details.push(one);
  }
  return harOf(details, version);
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
  query: ExchangeQuery,
  { json, otlp }: Options,
): Promise<void> {
  exitWhenOutputCloses();
  const spans = otlp === undefined ? undefined : await openExport(otlp);
  if (!json) print(exchangesHeading());
  await log.followRequests(filter, (line) => {
    if ("id" in line && !query.matches(line)) return;
    if ("id" in line) spans?.add(line);
    if (json) printJson(line);
    else if ("missed" in line) printNote(`${line.missed} changes were too fast to be printed.\n`);
    else if ("dropped" in line)
      printNote(`${line.dropped} requests at the Worker were not reported: there were too many.\n`);
    else if ("watch" in line) printNote(edgeStatusText(line.watch));
    else if (isPrinted(line)) print(exchangeLines(line));
  });
  await spans?.end();
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
