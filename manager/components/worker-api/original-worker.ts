/** What an original Worker lacks, said before anything is sent there. */

import { patternWarnings } from "../../../core/regex/analysis/backtracking-hazards.ts";
import { compile } from "../../../core/regex/pattern.ts";
import { isRefusedByOriginal } from "../../../core/regex/pattern-messages.ts";
import type { Routing } from "../../../core/session/session-document.ts";
import { formatText, text } from "../../../core/text.ts";
import { LinkupError } from "../../model/problem.ts";

/** Throws a LinkupError for a pattern that the original's regular expressions do not know: it would refuse the session. */
export function assertOriginalDialect({ services, domains, cache_routes }: Routing, workerUrl: string): void {
  const patterns = [
    ...services.flatMap(({ rewrites }) => rewrites.map(({ source }) => source)),
    ...domains.flatMap(({ routes }) => routes.map(({ path }) => path)),
    ...cache_routes,
  ];
  for (const pattern of patterns) {
    const compiled = compile(pattern);
    const refused = compiled.ok && patternWarnings(compiled.pattern).find(isRefusedByOriginal);
    if (refused)
      throw new LinkupError(
        "worker-failed",
        text(
          "The Worker at {0} is an original Linkup Worker, which refuses the pattern {1}. {2}",
          workerUrl,
          pattern,
          formatText(refused.text),
        ),
        [{ command: "openConfig", title: "Open linkup.yaml" }],
      );
  }
}

/** Its conflict on a tunneled session is a 500 with this text. */
export function isOriginalConflict(status: number, body: string): boolean {
  return status === 500 && body.includes("Session with name already exists");
}
