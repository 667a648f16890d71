/** What a message about linkup.yaml is about. */
import { MAX_NAME } from "../../session/session-limits.ts";
import { type Text, text } from "../../text.ts";
import { CONFIG_MESSAGES as MESSAGES } from "../model/config-messages.ts";
import type { Path } from "../yaml/yaml-node.ts";
import { valueAt } from "./map-at.ts";

/** By its name: `service "billing"`, or `"health.path" of service "billing"`. */
export function subjectOf(file: unknown, path: Path): Text | string {
  const [list, index] = path;
  const isItem =
    typeof index === "number" && (list === "services" || list === "domains" || list === "overrides");
  const rest = isItem ? path.slice(2) : path;
  const inner = rest
    .map((key, i) => (typeof key === "number" ? `[${key}]` : i === 0 ? key : `.${key}`))
    .join("");
  if (!isItem) return inner === "" ? "linkup.yaml" : `"${inner}"`;
  const owner = itemName(file, list, index);
  return inner === "" ? owner : text(MESSAGES.partOf, inner, owner);
}

function itemName(file: unknown, list: "services" | "domains" | "overrides", index: number): Text {
  const name = valueAt(file, [list, index, list === "domains" ? "domain" : "name"]);
  const isNamed = typeof name === "string" && name !== "" && name.length <= MAX_NAME;
  if (list === "services")
    return isNamed ? text(MESSAGES.namedService, name) : text(MESSAGES.numberedService, index + 1);
  if (list === "overrides")
    return isNamed ? text(MESSAGES.namedOverride, name) : text(MESSAGES.numberedOverride, index + 1);
  return isNamed ? text(MESSAGES.namedDomain, name) : text(MESSAGES.numberedDomain, index + 1);
}
