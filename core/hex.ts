const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Bytes as lower-case hexadecimal: the engine's own way (ES2026) where there is one, which Node has not yet. */
export function hex(bytes: Uint8Array & { toHex?(): string }): string {
  if (bytes.toHex) return bytes.toHex();
  let text = "";
  for (const byte of bytes) text += BYTES[byte]!;
  return text;
}
