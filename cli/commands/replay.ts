/** `linkup replay` */
import { readFile } from "node:fs/promises";
import { changesNothing, type ReplayResponse } from "../../core/api/request-log-api.ts";
import { parseHttpFile, printHttpFile } from "../../core/exchange/http-file.ts";
import { confirmed } from "../confirm.ts";
import { newManager } from "../context.ts";
import { UsageError } from "../exit-codes.ts";
import { bodyText, headersText } from "../print/exchange.ts";
import { coloured, print, printNote, printResult } from "../print/output.ts";

interface Options {
  to?: string;
  file?: string;
  http?: boolean;
  secrets?: boolean;
  yes?: boolean;
  json?: boolean;
}

export async function replay(idText: string, options: Options): Promise<void> {
  if (!/^\d{1,15}$/.test(idText)) throw new UsageError(`ID must be a whole number, not "${idText}".`);
  const id = Number(idText);
  const manager = newManager({ keep: false });
  if (options.http) return print(printHttpFile(await manager.requestLog.request(id)));
  const edited = options.file === undefined ? undefined : await readRequest(options.file);
  const { method, target } = edited ?? (await manager.requestLog.request(id));
  if (!changesNothing(method) && !options.yes) {
    const question = `${method} ${target} may change data where it is sent. Send it again?`;
    if (!(await confirmed(question))) return;
  }
  const response = await manager.replay(id, {
    ...(options.to === undefined ? {} : { to: options.to }),
    ...(edited ? { edited } : {}),
    secrets: options.secrets ?? false,
  });
  if (response.withheld.length > 0)
    printNote(
      `Sent without ${response.withheld.join(", ")}: secrets go only to where they went before, or with --secrets.\n`,
    );
  printResult(options.json, response, () => responseText(response));
}

async function readRequest(path: string) {
  const { url, ...edited } = parseHttpFile(await readFile(path, "utf8"));
  return edited;
}

function responseText({ url, status, ms, headers, body }: ReplayResponse): string {
  const colour = status >= 500 ? "red" : status >= 400 ? "yellow" : "green";
  return `${coloured(colour, String(status))}  ${url}  ${ms} ms\n${headersText("Response headers", headers)}${bodyText(body)}`;
}
