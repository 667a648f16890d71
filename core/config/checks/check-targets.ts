/** Checks the further targets of a service, and the one that it has in a new session. */
import { text } from "../../text.ts";
import type { DiagnosticCollector } from "../model/config-diagnostic.ts";
import { CONFIG_MESSAGES as MESSAGES } from "../model/config-messages.ts";
import { isTargetName } from "../model/target.ts";
import type { MapAt } from "./map-at.ts";
import { nearestWord } from "./nearest-word.ts";

export function checkTargets(collector: DiagnosticCollector, { path, value }: MapAt): void {
  const { targets, target } = value;
  const named = typeof targets === "object" && targets !== null ? Object.entries(targets) : [];
  for (const [name, url] of named) {
    const at = [...path, "targets", name];
    if (!isTargetName(name)) collector.error("wrong-value", at, text(MESSAGES.invalidTargetName, name));
    else if (typeof url === "string" && /^https?:/i.test(url) && !URL.canParse(url))
      collector.error("wrong-value", at, text(MESSAGES.invalidUrl, url));
  }
  if (typeof target !== "string") return;
  const known = ["auto", "local", "remote", ...named.map(([name]) => name)];
  if (known.includes(target)) return;
  const similar = nearestWord(target, new Set(known));
  const message =
    similar === undefined
      ? text(MESSAGES.unknownTarget, target, known.join(", "))
      : text(MESSAGES.unknownTargetLike, target, similar);
  collector.error("wrong-value", [...path, "target"], message, { suggestion: similar });
}
