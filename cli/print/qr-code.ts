/** QR codes on terminals: for the phone in the same room. */
import { coloured, print } from "./output.ts";

/** Dark modules on a light ground, whatever the terminal's colours are. Nothing where no terminal reads it, or it is too narrow. */
export async function printQrCode(text: string): Promise<void> {
  if (!process.stdout.isTTY || process.env.NO_COLOR) return;
  const { renderUnicodeCompact } = await import("uqr");
  // The border that scanners need.
  const lines = renderUnicodeCompact(text, { border: 4 }).split("\n");
  if (lines.some((line) => line.length > process.stdout.columns)) return;
  print(`\n${lines.map((line) => `${coloured(["bgWhiteBright", "black"], line)}\n`).join("")}\n`);
}
