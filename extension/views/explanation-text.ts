/** Why a request goes where it goes, as Markdown. */
import { explanationText } from "../../agent-tools/explanation-text.ts";
import type { Explanation } from "../../core/routing/explain-request.ts";
import { t } from "../words.ts";

export function explanationMarkdown(
  url: string,
  headers: Record<string, string>,
  explanation: Explanation,
): string {
  const request = [`GET ${url}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
  const { candidates, steps, target, failure, service } = explanationText(explanation, { t, code });
  return [
    `# ${t("Linkup Explanation")}`,
    fenced("http", request.join("\n")),
    `## ${t("Session")}`,
    bullets(candidates),
    ...(service === undefined ? [] : [`## ${t("Service {0}", service)}`]),
    ...(steps.length > 0 ? [bullets(steps)] : []),
    ...(target === undefined ? [] : [`→ ${code(target)}`]),
    ...(failure ? [`**${failure.status}** — ${failure.lines.join("\n\n")}`] : []),
    "",
  ].join("\n\n");
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join("\n");
}

/** A code span that its text cannot leave: of one line, within more backticks than stand in it. */
function code(text: string): string {
  const line = text.replace(/\s+/g, " ");
  const ticks = fenceFor(line, 1);
  return /^`|`$/.test(line) ? `${ticks} ${line} ${ticks}` : ticks + line + ticks;
}

function fenced(language: string, text: string): string {
  const ticks = fenceFor(text, 3);
  return `${ticks}${language}\n${text}\n${ticks}`;
}

function fenceFor(text: string, atLeast: number): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
  return "`".repeat(Math.max(atLeast, longest + 1));
}
