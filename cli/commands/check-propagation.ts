/** `linkup check-propagation` */
import { lostSentence, propagationHelp, serviceSentence } from "../../core/exchange/propagation-words.ts";
import { formatText } from "../../core/text.ts";
import type { ProbedService } from "../../manager/operations/check-propagation.ts";
import { newManager, selectSession } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { coloured, print, printJson, printNote } from "../print/output.ts";

interface Options {
  probe?: boolean;
  session?: string;
  config?: string;
  json?: boolean;
}

/** Exits with `EXIT.unhealthy` when a request lost its session. */
export async function checkPropagation({ probe, json, ...choice }: Options): Promise<void> {
  const manager = newManager({ keep: false });
  const selector = probe ? await selectSession(manager, choice) : undefined;
  if (selector) printNote("Sending a request through each service…\n");
  const found = await manager.checkPropagation(selector);
  if (found.lost.length > 0) process.exitCode = EXIT.unhealthy;
  if (json) return printJson(found);
  if (found.services.length + found.lost.length === 0)
    return printNote("No requests in the last minutes. Use the session, then check again.\n");
  for (const service of found.services) {
    const mark = service.lost > 0 ? coloured("red", "✗") : coloured("green", "✓");
    print(`${mark} ${formatText(serviceSentence(service))}\n`);
  }
  for (const lost of found.lost)
    print(
      `${coloured("red", "✗")} ${formatText(lostSentence(lost))}\n    ${formatText(propagationHelp(lost.sender))}\n`,
    );
  for (const probed of found.probed ?? []) if (probed.status === null) printNote(notAsked(probed));
}

function notAsked({ service, request }: ProbedService): string {
  return request === null
    ? `${service} was not checked: no domain or route leads to it.\n`
    : `${service} did not answer ${request}.\n`;
}
