/** An explanation of a request as text for a terminal. */
import { type ExplanationStyle, explanationText } from "../../agent-tools/explanation-text.ts";
import { english } from "../../core/text.ts";
import type { ExplainedRequest } from "../../manager/operations/explain.ts";
import { coloured } from "./output.ts";

const STYLE: ExplanationStyle = {
  t: english,
  code: (text) => coloured("bold", text),
};

export function explanationLines(url: string, explanation: ExplainedRequest): string {
  const { candidates, steps, target, failure, service } = explanationText(explanation, STYLE);
  const lines = [
    url,
    ...candidates.map((line) => `  ${line}`),
    ...(service === undefined ? [] : [`  Service ${coloured("bold", service)}`]),
    ...steps.map((line) => `  ${line}`),
    ...(target === undefined ? [] : [`${coloured("green", "→")} ${target}`]),
    ...(failure ? [`${coloured("red", String(failure.status))}: ${failure.lines.join("\n  ")}`] : []),
  ];
  return `${lines.join("\n")}\n`;
}
