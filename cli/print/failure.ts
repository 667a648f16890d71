/** A failure as text or JSON for stderr. */
import type { InfraError } from "../../infra/errors.ts";
import { ConfigError } from "../../manager/files/config-file.ts";
import { LinkupError, reportedProblem } from "../../manager/model/problem.ts";
import { UsageError } from "../exit-codes.ts";
import { configProblems } from "./code-frame.ts";
import { coloured, terminalJson } from "./output.ts";

/** With its newline. */
export function failureText(error: unknown, json: boolean): string {
  if (error instanceof ConfigError && !json) return configProblems(error);
  if (!(error instanceof LinkupError)) {
    const { message, stack = message } = error instanceof Error ? error : new Error(String(error));
    const expected = error instanceof Error && isExpected(error);
    if (json) return `${terminalJson(otherProblem(error, message, expected ? undefined : stack))}\n`;
    return `${coloured("red", "Error", process.stderr)}: ${expected ? message : stack.replace(/^Error: /, "")}\n`;
  }
  if (json) {
    // All diagnostics of the file; lines and characters count from 0, as in editors.
    const problems = error instanceof ConfigError ? error.problems : undefined;
    return `${terminalJson({ problem: reportedProblem(error.problem), problems })}\n`;
  }
  const { title, message, actions } = error.problem;
  const hints = actions.flatMap(({ title, terminal }) => (terminal ? [`  ${title}: ${terminal}\n`] : []));
  return `${coloured("red", title, process.stderr)}: ${message}\n${hints.join("")}`;
}

/** Problems that only the command line has. */
function otherProblem(error: unknown, message: string, stack: string | undefined) {
  const [code, title] = nameOf(error);
  return { problem: { code, title, message, actions: [] }, stack };
}

function nameOf(error: unknown): [code: string, title: string] {
  if (error instanceof UsageError) return ["usage", "Invalid command line"];
  if (isInfraError(error)) return [error.code, "The deployment cannot go on"];
  return ["unexpected", "Unexpected error"];
}

/** False for bugs of ours: their stack is printed for the report. */
function isExpected(error: Error): boolean {
  return error instanceof UsageError || error.name === "AbortError" || isInfraError(error);
}

/** By its name: only `linkup infra` loads the class. */
function isInfraError(error: unknown): error is InfraError {
  return error instanceof Error && error.name === "InfraError";
}
