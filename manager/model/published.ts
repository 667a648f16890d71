/** Sessions that others can open. */
import { text } from "../../core/text.ts";
import { LinkupError } from "./problem.ts";
import type { SessionRecord } from "./state.ts";

/** Throws a LinkupError for an isolated session. */
export function assertPublished({ kind, name }: Pick<SessionRecord, "kind" | "name">): void {
  if (kind !== "isolated") return;
  throw new LinkupError(
    "share-failed",
    text(
      "The isolated session {0} is on this machine only: nobody else can open it. Start one with a public URL to share it.",
      name ?? "",
    ),
    [{ command: "start", title: "Start", terminal: "linkup start" }],
  );
}
