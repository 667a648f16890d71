/** `linkup logs` */
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stateHome } from "../../node/home.ts";
import { LOGGED_COMPONENTS, type LogName, logFolder, logNameOf } from "../../node/log-files.ts";
import { UsageError } from "../exit-codes.ts";
import { coloured } from "../print/colour.ts";
import { endWithReader } from "../print/reader-gone.ts";

/** So much of each log's end is shown. */
const TAIL_BYTES = 32 * 1024;
const POLL_MS = 200;

interface Options {
  follow?: boolean;
  json?: boolean;
}

/** A line as `--json` prints it. */
interface Line extends LogName {
  text: string;
}

export async function logs(component: string | undefined, options: Options): Promise<void> {
  if (component !== undefined && !LOGGED_COMPONENTS.some((known) => known === component)) {
    throw new UsageError(`There is no component "${component}". They are: ${LOGGED_COMPONENTS.join(", ")}.`);
  }
  if (options.follow) endWithReader();
  const folder = logFolder(stateHome(process.env));
  const known = new Map<string, Tail>();
  const all: Line[] = [];
  for (let first = true; first || options.follow; first = false) {
    const names = await readdir(folder).catch(() => []);
    const shown = names.sort().flatMap((name) => lineOf(name, component) ?? []);
    for (const { name, ...about } of shown) {
      const tail = known.get(name) ?? new Tail(join(folder, name));
      known.set(name, tail);
      const text = await tail.more(!options.follow);
      if (text === "") continue;
      if (!options.json) process.stdout.write(shown.length > 1 ? `${title(tail.path)}${text}` : text);
      else for (const line of text.trimEnd().split("\n")) all.push({ ...about, text: line });
    }
    if (options.json && options.follow)
      for (const line of all.splice(0)) process.stdout.write(`${JSON.stringify(line)}\n`);
    if (options.follow) await delay(POLL_MS);
    else if (shown.length === 0) process.stderr.write(`There is no log in ${folder}.\n`);
  }
  if (options.json) process.stdout.write(`${JSON.stringify(all)}\n`);
}

/** What a file of this name is the log of; undefined for one that is not asked for. */
function lineOf(
  name: string,
  asked: string | undefined,
): (Omit<Line, "text"> & { name: string }) | undefined {
  const log = logNameOf(name);
  return log && (asked === undefined || asked === log.component) ? { name, ...log } : undefined;
}

function title(path: string): string {
  return coloured("bold", `--- ${path}\n`);
}

/** It was there a moment ago: a log that is full is put aside. */
function unlessGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

/** The end of a file, and then what comes to it. */
class Tail {
  readonly path: string;
  #offset: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Whole lines only, unless nothing will come any more. */
  async more(isLast: boolean): Promise<string> {
    const file = await open(this.path, "r").catch(unlessGone);
    if (!file) return "";
    try {
      const { size } = await file.stat();
      const end = Math.max(0, size - TAIL_BYTES);
      // A file that shrank was begun anew.
      const from = this.#offset === undefined ? end : this.#offset > size ? 0 : this.#offset;
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
      const bytes = buffer.subarray(0, bytesRead);
      // Where the middle of a line was hit, the next one is the first.
      const start = this.#offset === undefined && from > 0 ? bytes.indexOf("\n") + 1 : 0;
      const stop = isLast ? bytes.length : bytes.lastIndexOf("\n") + 1;
      this.#offset = from + Math.max(stop, start);
      return bytes.subarray(start, Math.max(stop, start)).toString("utf8");
    } finally {
      await file.close();
    }
  }
}
