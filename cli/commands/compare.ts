/** `linkup compare` */
import { formatText, type Text } from "../../core/text.ts";
import type { ComparedRow } from "../../manager/operations/compare.ts";
import { confirmed } from "../confirm.ts";
import { newManager, selectSession } from "../context.ts";
import { EXIT, UsageError } from "../exit-codes.ts";
import { coloured, print, printJson, printNote } from "../print/output.ts";
import { fitted } from "../print/table.ts";

interface Options {
  last?: string;
  service?: string;
  session?: string;
  config?: string;
  unsafe?: boolean;
  secrets?: boolean;
  yes?: boolean;
  json?: boolean;
}

/** Exits with `EXIT.different` when an answer differs, and with `EXIT.noSuchThing` when there is nothing to compare. */
export async function compare(ids: string[], options: Options): Promise<void> {
  const { last, service, unsafe = false, secrets = false, json } = options;
  if (last !== undefined && ids.length > 0) throw new UsageError("Give IDs or --last, not both.");
  if (unsafe && !options.yes && !(await confirmed("Send requests that may change data to both copies?")))
    return;
  const manager = newManager({ keep: false });
  const rows = await manager.compare(await selectSession(manager, options), {
    ...(ids.length > 0 ? { ids: ids.map((id) => wholeNumber("ID", id)) } : {}),
    ...(last === undefined ? {} : { last: wholeNumber("--last", last) }),
    ...(service === undefined ? {} : { service }),
    unsafe,
    secrets,
  });
  const compared = rows.filter(({ skipped }) => skipped === null);
  const different = compared.filter(({ differences }) => differences.length > 0);
  if (json)
    printJson(rows.map(({ skipped, ...row }) => ({ ...row, skipped: skipped && formatText(skipped) })));
  else {
    print(rows.map(rowText).join(""));
    const skipped = rows.length - compared.length;
    printNote(
      compared.length === 0
        ? "There are no requests to compare. Use the session first, so that its requests are in the log.\n"
        : `${different.length} of ${compared.length} differ${skipped > 0 ? `, ${skipped} were not sent` : ""}.\n`,
    );
  }
  if (compared.length === 0) process.exitCode = EXIT.noSuchThing;
  else if (different.length > 0) process.exitCode = EXIT.different;
}

function rowText({
  id,
  method,
  target,
  service,
  skipped,
  local,
  remote,
  differences,
  withheld,
}: ComparedRow): string {
  const [mark, colour] = skipped
    ? (["-", "dim"] as const)
    : differences.length > 0
      ? (["≠", "red"] as const)
      : (["=", "green"] as const);
  const status =
    local && remote ? `${local.status}${local.status === remote.status ? "" : `/${remote.status}`}` : "";
  const head = `${coloured(colour, mark)} ${fitted(`${String(id).padEnd(5)} ${status.padEnd(7)} ${method.padEnd(7)} ${service.padEnd(12)} ${target}`)}\n`;
  const notes = [
    ...(skipped ? [noteOf(skipped)] : []),
    ...differences.map(
      ({ where, path, local, remote }) =>
        `${[where, path].filter(Boolean).join(" ")}: local ${local ?? "(none)"}, remote ${remote ?? "(none)"}`,
    ),
    ...(withheld.length > 0
      ? [`one copy was not sent ${withheld.join(", ")} (--secrets sends them to both)`]
      : []),
  ];
  return head + notes.map((note) => `${coloured("dim", fitted(`      ${note}`))}\n`).join("");
}

function noteOf(skipped: Text): string {
  return formatText(skipped);
}

function wholeNumber(what: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`${what} must be a whole number, not "${text}".`);
}
