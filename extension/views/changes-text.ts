/** The page of Undo System Changes, as Markdown. */
import type { SystemChange } from "../../manager/components/local-dns/changes.ts";
import { codeBlock, escaped } from "../markdown.ts";
import { t } from "../words.ts";

export function changesText(changes: readonly SystemChange[]): string {
  return [
    `# ${t("Linkup System Changes")}`,
    t("What Linkup has changed on this system, the last change first, and the commands that undo it."),
    ...changes.flatMap(({ title, commands }) => [
      `## ${escaped(title)}`,
      codeBlock("sh", commands.join("\n")),
    ]),
    "",
  ].join("\n\n");
}
