/** `linkup logs` */
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stateHome } from "../../manager/state/home.ts";
import { UsageError } from "../exit-codes.ts";
import { coloured } from "../print/colour.ts";

const COMPONENTS: Record<string, RegExp> = {
  "local-server": /^local-server\.log$/,
  tunnel: /^cloudflared-.*\.log$/,
  "local-dns": /^local-dns\.log$/,
  keeper: /^keeper\.log$/,
};
/** So much of each log's end is shown. */
const TAIL_BYTES = 32 * 1024;
const POLL_MS = 200;

export async function logs(component: string | undefined, options: { follow?: boolean }): Promise<void> {
  const wanted = component === undefined ? /\.log$/ : COMPONENTS[component];
  if (!wanted)
    throw new UsageError(
      `There is no component "${component}". They are: ${Object.keys(COMPONENTS).join(", ")}.`,
    );
  const folder = join(stateHome(process.env), "logs");
  const shown = new Map<string, number>();
  for (let first = true; first || options.follow; first = false) {
    const names = (await readdir(folder).catch(() => [])).filter((name) => wanted.test(name)).sort();
    for (const name of names)
      shown.set(name, await showFrom(join(folder, name), shown.get(name), names.length > 1));
    if (options.follow) await delay(POLL_MS);
    else if (names.length === 0) process.stderr.write(`There is no log in ${folder}.\n`);
  }
}

/** Prints what the file has after this offset, or its end; returns the new offset. */
async function showFrom(path: string, offset: number | undefined, withTitle: boolean): Promise<number> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    // A file that shrank was begun anew.
    const from = offset === undefined ? Math.max(0, size - TAIL_BYTES) : offset > size ? 0 : offset;
    if (size === from) return size;
    const { buffer } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    if (withTitle) process.stdout.write(coloured("bold", `--- ${path}\n`));
    process.stdout.write(buffer);
    return size;
  } finally {
    await file.close();
  }
}
