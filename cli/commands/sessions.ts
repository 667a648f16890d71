/** `linkup sessions` */
import { MAX_EXPIRY_S } from "../../core/api/worker-api.ts";
import { inLargestUnit, parseDuration } from "../../core/session/duration.ts";
import type { SessionAccess } from "../../core/session/session-document.ts";
import { sessionNameFrom } from "../../core/session/session-name.ts";
import type { SessionView } from "../../manager/model/snapshot.ts";
import { namePattern } from "../../manager/operations/stop.ts";
import { confirmed, confirmWorker } from "../confirm.ts";
import { findConfig, needConfig, newManager } from "../context.ts";
import { UsageError } from "../exit-codes.ts";
import { usedByOthers } from "../print/other-users.ts";
import { print, printJson, printNote, printResult } from "../print/output.ts";
import { spin } from "../print/spinner.ts";
import { sessionText } from "../print/status.ts";
import { table } from "../print/table.ts";

interface ListOptions {
  config?: string;
  json?: boolean;
  worker?: boolean;
  name?: string;
  limit?: string;
  after?: string;
}

export async function list(options: ListOptions): Promise<void> {
  if (options.worker) return listOnWorker(options);
  const { sessions } = await newManager({ keep: false }).look();
  if (options.json) {
    printJson(sessions);
    return;
  }
  const rows = sessions.map(({ name, kind, state, urls, configPath }) => [
    name ?? "(no name yet)",
    kind,
    state,
    urls[0] ?? "",
    configPath ?? "",
  ]);
  print(
    rows.length > 0 ? table(["SESSION", "KIND", "STATE", "URL", "CONFIG"], rows) : "No session is running.\n",
  );
}

/** A page of the sessions on the Worker, no matter who started them. */
async function listOnWorker(options: ListOptions): Promise<void> {
  const { name: pattern, after } = options;
  const limit = Number(options.limit ?? DEFAULT_LIMIT);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    throw new UsageError(`--limit takes a whole number from 1 to ${MAX_LIMIT}.`);
  const manager = newManager({ keep: false });
  const configPath = needConfig(options.config);
  await confirmWorker(manager, configPath, options);
  const page = await manager.workerSessions(configPath, {
    limit,
    ...(pattern === undefined ? {} : { pattern }),
    ...(after === undefined ? {} : { after }),
  });
  if (options.json) {
    printJson(page);
    return;
  }
  const now = Date.now();
  const rows = page.sessions.map(({ session_name, session_kind, maker, created, used, expires }) => [
    session_name,
    session_kind,
    maker === undefined ? "?" : (maker ?? "main token"),
    ago(created, now),
    used === undefined ? "?" : ago(used, now),
    `in ${span(expires - now)}`,
  ]);
  print(
    rows.length > 0
      ? table(["SESSION", "KIND", "TOKEN", "CREATED", "USED", "EXPIRES"], rows)
      : "The Worker has no such session.\n",
  );
  if (page.next !== undefined) printNote(`More: linkup sessions list --worker --after ${page.next}\n`);
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

function ago(time: number, now: number): string {
  return `${span(now - time)} ago`;
}

function span(ms: number): string {
  const { count, unit } = inLargestUnit(ms);
  return `${count} ${unit}`;
}

interface ExtendOptions {
  config?: string;
  expires?: string;
  json?: boolean;
}

/** A session on the Worker lives for `--expires` from now; without it, for as long as it is used. */
export async function extend(name: string, options: ExtendOptions): Promise<void> {
  const seconds = options.expires === undefined ? null : expirySeconds(options.expires);
  const manager = newManager({ keep: false });
  const configPath = needConfig(options.config);
  await confirmWorker(manager, configPath, options);
  const session = await spin("Extending", manager.extend(configPath, name, seconds));
  printResult(
    options.json,
    session,
    () => `${session.session_name} expires ${new Date(session.expires).toISOString()}\n`,
  );
}

/** Of `--expires`. Throws a UsageError. */
function expirySeconds(text: string): number {
  const seconds = parseDuration(text);
  if (seconds !== undefined && seconds <= MAX_EXPIRY_S) return seconds;
  throw new UsageError(`--expires takes a time such as 12h, 7d or 2w, of at most 366d, not "${text}".`);
}

interface CreateOptions {
  config?: string;
  name?: string;
  access?: SessionAccess;
  expires?: string;
  json?: boolean;
  printRequest?: boolean;
}

/** `[NAME] [SERVICE=URL…]`: a preview, on the Worker only. */
export async function createPreview(words: string[], options: CreateOptions): Promise<void> {
  const { name: given = options.name, locations } = parseWords(words);
  const name = given && (await sessionNameFrom(given));
  if (given && !name) throw new UsageError(`"${given}" has no character that a session name may have.`);
  if (name !== given) printNote(`The session's name is ${name}.\n`);
  const request = {
    configPath: needConfig(options.config),
    locations,
    ...(name === undefined ? {} : { name }),
    ...(options.access === undefined ? {} : { access: options.access }),
    ...(options.expires === undefined ? {} : { expiresIn: expirySeconds(options.expires) }),
  };
  const manager = newManager({ keep: true });
  if (options.printRequest) {
    printJson(await manager.previewRequest(request), 2);
    return;
  }
  await confirmWorker(manager, request.configPath, options);
  printSession(await spin("Creating", manager.create({ ...request, kind: "preview" })), options);
}

/** `NAME [SERVICE=URL…]`: on this machine only, beside the file's own session. */
export async function createIsolated(words: string[], options: CreateOptions): Promise<void> {
  const { name, locations } = parseWords(words);
  if (name === undefined)
    throw new UsageError("The session needs a name: linkup sessions create-isolated NAME");
  const request = { configPath: needConfig(options.config), kind: "isolated" as const, name, locations };
  printSession(await spin("Creating", newManager({ keep: true }).create(request)), options);
}

interface DeleteOptions {
  config?: string;
  yes?: boolean;
  json?: boolean;
}

/** Asks first where a running session of a linkup.yaml would be deleted: its URL would stop working for everyone. */
export async function remove(pattern: string, options: DeleteOptions): Promise<void> {
  const manager = newManager({ keep: false });
  const { sessions } = await manager.look();
  const fits = namePattern(pattern);
  const main = sessions.filter(
    ({ name, secondary, state }) => !secondary && state !== "stopping" && fits(name ?? ""),
  );
  const used = await usedByOthers(manager, main);
  const names = main
    .map(({ name, configPath }) => {
      const users = used.find((each) => each.name === name)?.users;
      return `${name} of ${configPath}${users ? ` (in use by ${users})` : ""}`;
    })
    .join(", ");
  const question =
    main.length === 1
      ? `${names} is running. Stop and delete it?`
      : `These sessions are running: ${names}. Stop and delete them?`;
  if (main.length > 0 && !options.yes && !(await confirmed(question))) return;
  const configPath = findConfig(options.config);
  if (configPath !== undefined) await confirmWorker(manager, configPath, options);
  const deleted = await spin("Deleting", manager.remove(pattern, configPath));
  printResult(options.json, { deleted }, () => deleted.map((name) => `Deleted ${name}\n`).join(""));
}

function printSession(session: SessionView, { json }: CreateOptions): void {
  printResult(json, session, () => sessionText(session));
}

/** A first word without `=` is the name; every other word is a service with its URL. */
function parseWords(words: string[]): { name: string | undefined; locations: Record<string, string> } {
  const named = words[0] !== undefined && !words[0].includes("=");
  const locations = new Map<string, string>();
  for (const word of named ? words.slice(1) : words) {
    const equals = word.indexOf("=");
    if (equals < 1)
      throw new UsageError(`A service needs its URL, as in web=https://web.example.com, not "${word}".`);
    const service = word.slice(0, equals);
    if (locations.has(service)) throw new UsageError(`The service ${service} has two URLs.`);
    locations.set(service, word.slice(equals + 1));
  }
  return { name: named ? words[0] : undefined, locations: Object.fromEntries(locations) };
}
