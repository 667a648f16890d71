const DIGITS = "0123456789abcdef";

/** Bytes as lower-case hexadecimal: the engine's own way (ES2026) where there is one, which Node has not yet. */
export function hex(bytes: Uint8Array & { toHex?(): string }): string {
  if (bytes.toHex) return bytes.toHex();
  let text = "";
  for (const byte of bytes) text += DIGITS[byte >> 4]! + DIGITS[byte & 15]!;
  return text;
}
