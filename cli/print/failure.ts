/** How a failure is told on a terminal. */

import { ConfigError } from "../../manager/files/config-file.ts";
import { LinkupError } from "../../manager/model/problem.ts";
import { UsageError } from "../exit-codes.ts";
import { configProblems } from "./code-frame.ts";
import { coloured } from "./colour.ts";
import { printable } from "./printable.ts";

/** The text for stderr, with its newline. */
export function failure(error: unknown, json: boolean): string {
  if (error instanceof ConfigError && !json) return configProblems(error);
  if (!(error instanceof LinkupError)) {
    const { message, stack = message } = error instanceof Error ? error : new Error(String(error));
    const expected = error instanceof Error && isExpected(error);
    if (json) return `${JSON.stringify(otherProblem(error, message, expected ? undefined : stack))}\n`;
    return `${coloured("red", "Error", process.stderr)}: ${expected ? message : stack.replace(/^Error: /, "")}\n`;
  }
  if (json) {
    // All that is wrong with the file; lines and characters count from 0, as in editors.
    const problems = error instanceof ConfigError ? error.problems : undefined;
    return `${JSON.stringify({ problem: error.problem, problems })}\n`;
  }
  const { title, message, actions } = error.problem;
  const hints = actions.flatMap(({ title, terminal }) => (terminal ? [`  ${title}: ${terminal}\n`] : []));
  return `${coloured("red", title, process.stderr)}: ${printable(message)}\n${hints.join("")}`;
}

/** What only the command line knows has its codes here. */
function otherProblem(error: unknown, message: string, stack: string | undefined) {
  const [code, title] =
    error instanceof UsageError
      ? ["usage", "The command line cannot be understood"]
      : ["unexpected", "Something went wrong"];
  return { problem: { code, title, message, actions: [] }, stack };
}

/** Others are our own mistakes: then the stack helps whoever gets the report. */
function isExpected(error: Error): boolean {
  return error instanceof UsageError || error.name === "AbortError";
}
