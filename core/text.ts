/** Messages to people as data, so that an editor can translate them. */

/** A template in English, in which `{0}`, `{1}`… stand for the arguments. An argument may itself be such a text. */
export interface Text {
  template: string;
  args: readonly TextArgument[];
}

export type TextArgument = string | number | Text;

export function text(template: string, ...args: TextArgument[]): Text {
  return { template, args };
}

/** The text in another language, or with `format` left out in English. `format` fills the arguments into a template. */
export function formatText(
  { template, args }: Text,
  format: (template: string, args: (string | number)[]) => string = inEnglish,
): string {
  return format(
    template,
    args.map((arg) => (typeof arg === "object" ? formatText(arg, format) : arg)),
  );
}

/** For logs and the terminal, which are in English: what `t` is for the editor. */
export function english(template: string, ...args: (string | number)[]): string {
  return inEnglish(template, args);
}

function inEnglish(template: string, args: (string | number)[]): string {
  return template.replace(/\{(\d+)\}/g, (placeholder, index: string) =>
    String(args[Number(index)] ?? placeholder),
  );
}
