/** `linkup explain` */
import { newManager, selectSession } from "../context.ts";
import { UsageError } from "../exit-codes.ts";
import { explanationLines } from "../print/explanation.ts";
import { printResult } from "../print/output.ts";

interface Options {
  method?: string;
  header: string[];
  session?: string;
  config?: string;
  json?: boolean;
}

export async function explain(url: string, options: Options): Promise<void> {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
    throw new UsageError(`"${url}" is not an http or https URL.`);
  const manager = newManager({ keep: false });
  const headers = Object.fromEntries(options.header.map(parseHeader));
  const selector = await selectSession(manager, options);
  const explanation = await manager.explain(selector, url, headers, options.method?.toUpperCase());
  printResult(options.json, explanation, () => explanationLines(url, explanation));
}

function parseHeader(header: string): [string, string] {
  const colon = header.indexOf(":");
  if (colon < 1) throw new UsageError(`A header must be "name: value", not "${header}".`);
  return [header.slice(0, colon).trim().toLowerCase(), header.slice(colon + 1).trim()];
}
