/** What a hop made of the headers of a message. */
export interface HeaderLine {
  name: string;
  value: string;
  change: "same" | "added" | "changed" | "removed";
  /** The value before. */
  before?: string;
}

/** `after` is null when the message was not sent on: then all are as they came. */
export function headerChanges(
  before: readonly [string, string][],
  after: readonly [string, string][] | null,
): HeaderLine[] {
  const old = byName(before);
  if (after === null) return [...old.values()].map(({ name, value }) => ({ name, value, change: "same" }));
  const now = byName(after);
  const lines: HeaderLine[] = [];
  for (const [key, { name, value }] of old) {
    const sent = now.get(key);
    if (!sent) lines.push({ name, value, change: "removed" });
    else if (sent.value === value) lines.push({ name, value, change: "same" });
    else lines.push({ name: sent.name, value: sent.value, change: "changed", before: value });
  }
  for (const [key, { name, value }] of now) if (!old.has(key)) lines.push({ name, value, change: "added" });
  return lines;
}

/** Several lines of one name are one, as HTTP allows; cookies that are set stay apart. */
function byName(headers: readonly [string, string][]): Map<string, { name: string; value: string }> {
  const all = new Map<string, { name: string; value: string }>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const known = all.get(key);
    if (known) known.value += `${key === "set-cookie" ? "\n" : ", "}${value}`;
    else all.set(key, { name, value });
  }
  return all;
}
