/** `linkup explain` */
import { isToken } from "../../core/http-token.ts";
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
  const { method } = options;
  if (method !== undefined && !isToken(method))
    throw new UsageError(`"${method}" is not a method such as GET or POST.`);
  const manager = newManager({ keep: false });
  const headers = Object.fromEntries(options.header.map(parseHeader));
  const selector = await selectSession(manager, options);
  const explanation = await manager.explain(selector, url, headers, method?.toUpperCase());
  printResult(options.json, explanation, () => explanationLines(url, explanation));
}

function parseHeader(header: string): [string, string] {
  const colon = header.indexOf(":");
  const name = header.slice(0, Math.max(0, colon)).trim();
  if (!isToken(name)) throw new UsageError(`A header must be "name: value", not "${header}".`);
  return [name.toLowerCase(), header.slice(colon + 1).trim()];
}
