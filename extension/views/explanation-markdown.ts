/** The explanation of a routing decision, as Markdown. `place`: where the service is routed, when that is known. */
import { explanationText } from "../../agent-tools/explanation-text.ts";
import type { ExplainedRequest } from "../../manager/operations/explain.ts";
import { code, codeBlock, escaped } from "../markdown.ts";
import { t } from "../words.ts";

export function explanationMarkdown(
  url: string,
  headers: Record<string, string>,
  explanation: ExplainedRequest,
  place: string | undefined,
): string {
  const request = [`GET ${url}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
  const { candidates, steps, target, failure, service } = explanationText(explanation, { t, code });
  return [
    `# ${t("Linkup Explanation")}`,
    codeBlock("http", request.join("\n")),
    `## ${t("Session")}`,
    bullets(candidates),
    ...(service === undefined
      ? []
      : [`## ${t("Service {0}", escaped(service))}${place ? ` · ${place}` : ""}`]),
    ...(steps.length > 0 ? [bullets(steps)] : []),
    ...(target === undefined ? [] : [`→ ${code(target)}`]),
    ...(failure ? [`**${failure.status}** — ${failure.lines.join("\n\n")}`] : []),
    "",
  ].join("\n\n");
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join("\n");
}
