/** What a key of linkup.yaml means, as Markdown, from the one schema. */
import { keyInfoAt } from "../../../core/config/model/schema-keys.ts";
import type { Path } from "../../../core/config/yaml/yaml-node.ts";
import { t } from "../../words.ts";

/** Empty for keys that Linkup does not know. */
export function keyText(path: Path): string {
  const info = keyInfoAt(path);
  if (!info?.description) return "";
  const facts = [
    info.required ? t("Required.") : t("Optional."),
    info.default === undefined ? "" : t("Default: {0}", `\`${JSON.stringify(info.default)}\``),
  ];
  const example = info.examples?.[0];
  const shown = typeof example === "string" ? example : JSON.stringify(example);
  const lines = [t(info.description), facts.filter(Boolean).join(" ")];
  if (example !== undefined) lines.push(t("Example: {0}", `\`${shown}\``));
  return lines.join("\n\n");
}
