/** `linkup logs` */
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stateHome } from "../../node/home.ts";
import { LOGGED_COMPONENTS, type LogName, logFolder, logNameOf } from "../../node/log-files.ts";
import { UsageError } from "../exit-codes.ts";
import { coloured, print, printJson, printNote } from "../print/output.ts";
import { exitWhenOutputCloses } from "../print/stdout-errors.ts";

/** Bytes shown of the end of each log. */
const TAIL_BYTES = 32 * 1024;
const POLL_MS = 200;

interface Options {
  follow?: boolean;
  json?: boolean;
}

/** A line as `--json` prints it. */
interface LogLine extends LogName {
  text: string;
}

export async function logs(component: string | undefined, options: Options): Promise<void> {
  if (component !== undefined && !LOGGED_COMPONENTS.some((known) => known === component)) {
    throw new UsageError(`There is no component "${component}". They are: ${LOGGED_COMPONENTS.join(", ")}.`);
  }
  if (options.follow) exitWhenOutputCloses();
  const folder = logFolder(stateHome(process.env));
  const known = new Map<string, Tail>();
  const all: LogLine[] = [];
  for (let first = true; first || options.follow; first = false) {
    const names = await readdir(folder).catch(() => []);
    const shown = names.sort().flatMap((name) => lineOf(name, component) ?? []);
    for (const { name, ...about } of shown) {
      const tail = known.get(name) ?? new Tail(join(folder, name));
      known.set(name, tail);
      const text = await tail.more(!options.follow);
      if (text === "") continue;
      if (!options.json) print(shown.length > 1 ? `${title(tail.path)}${text}` : text);
      else for (const line of text.trimEnd().split("\n")) all.push({ ...about, text: line });
    }
    if (options.json && options.follow) for (const line of all.splice(0)) printJson(line);
    if (options.follow) await delay(POLL_MS);
    else if (shown.length === 0) printNote(`There is no log in ${folder}.\n`);
  }
  if (options.json) printJson(all);
}

/** What a file of this name is the log of; undefined for one that is not asked for. */
function lineOf(
  name: string,
  asked: string | undefined,
): (Omit<LogLine, "text"> & { name: string }) | undefined {
  const log = logNameOf(name);
  return log && (asked === undefined || asked === log.component) ? { name, ...log } : undefined;
}

function title(path: string): string {
  return coloured("bold", `--- ${path}\n`);
}

/** A log may be rotated away between listing and opening it. */
function unlessGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

/** The end of a file, then what is appended to it. */
class Tail {
  readonly path: string;
  #offset: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Whole lines only, unless it is read for the last time. */
  async more(isLast: boolean): Promise<string> {
    const file = await open(this.path, "r").catch(unlessGone);
    if (!file) return "";
    try {
      const { size } = await file.stat();
      const end = Math.max(0, size - TAIL_BYTES);
      // A file that shrank was replaced: read it from its start.
      const from = this.#offset === undefined ? end : this.#offset > size ? 0 : this.#offset;
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
      const bytes = buffer.subarray(0, bytesRead);
      // The first line may be incomplete: skip it.
      const start = this.#offset === undefined && from > 0 ? bytes.indexOf("\n") + 1 : 0;
      const stop = isLast ? bytes.length : bytes.lastIndexOf("\n") + 1;
      this.#offset = from + Math.max(stop, start);
      return bytes.subarray(start, Math.max(stop, start)).toString("utf8");
    } finally {
      await file.close();
    }
  }
}
