/** Every text a user reads goes through `t`, so that it can be translated (l10n/, completeness is tested). */
import { formatText, type Text } from "../core/text.ts";

type Value = string | number;
export type Translate = (message: string, ...values: Value[]) => string;

let translate: Translate = fill;

/** The message in the user's language, `{0}`, `{1}`… replaced by the values. Its first argument must be a literal. */
export function t(message: string, ...values: Value[]): string {
  return translate(message, ...values);
}

/** A text of another package in the user's language. */
export function translated(text: Text): string {
  return formatText(text, (template, args) => translate(template, ...args));
}

/** For `activate`: from now on texts come from VS Code's `l10n.t`. */
export function translateWith(translator: Translate): void {
  translate = translator;
}

export function fill(message: string, ...values: Value[]): string {
  return message.replace(/\{(\d+)\}/g, (place, index) => String(values[Number(index)] ?? place));
}
