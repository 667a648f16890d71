/** The text of a linkup.yaml. */

/** UTF-8, or what the file's byte order mark says, as in editors: `>` of Windows PowerShell writes UTF-16. */
export function configText(content: Uint8Array): string {
  const mark = `${content[0]} ${content[1]}`;
  const encoding = mark === "255 254" ? "utf-16le" : mark === "254 255" ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(content);
}
