/** `linkup logs` */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stateHome } from "../../node/home.ts";
import { LOGGED_COMPONENTS, type LogName, logFolder, logNameOf } from "../../node/log-files.ts";
import { LogTail } from "../../node/log-tail.ts";
import { UsageError } from "../exit-codes.ts";
import { coloured, print, printJson, printNote } from "../print/output.ts";
import { exitWhenOutputCloses } from "../print/stdout-errors.ts";

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
  const known = new Map<string, LogTail>();
  const all: LogLine[] = [];
  for (let first = true; first || options.follow; first = false) {
    const names = await readdir(folder).catch(() => []);
    const shown = names.sort().flatMap((name) => lineOf(name, component) ?? []);
    for (const { name, ...about } of shown) {
      const tail = known.get(name) ?? new LogTail(join(folder, name));
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
