/** The lines of a `linkup` task, which the problem matcher `$linkup` in package.json reads. */
import type { Problem } from "../../manager/model/problem.ts";
import type { SessionView } from "../../manager/model/snapshot.ts";
import { problemMessage } from "../labels.ts";
import { t } from "../words.ts";

export const STARTING = "Linkup: starting";

export function readyText({ name, urls }: SessionView): string {
  return [`Linkup: ready, session ${name}`, ...urls.map((url) => `  ${url}`)].join("\n");
}

/** `linkup.yaml:1:1: error: what happened`, so that the Problems panel can link to the file. */
export function failedText(configPath: string, problem: Problem): string {
  return `${configPath}:1:1: error: ${t(problem.title)}. ${problemMessage(problem).replaceAll("\n", " ")}\nLinkup: failed`;
}

export const STOPPED = "Linkup: stopped";
