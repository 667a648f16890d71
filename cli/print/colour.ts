/** Colours, on terminals only (and never with NO_COLOR). */
import { styleText } from "node:util";

type Format = Parameters<typeof styleText>[0];

export function coloured(format: Format, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(format, text, { stream });
}
