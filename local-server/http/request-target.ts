/** A host as RFC 3986 has it, with or without port: a name, maybe empty, or an address. */
export function isHost(text: string): boolean {
  return /^(?:\[[\w:.%~-]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/.test(text);
}
