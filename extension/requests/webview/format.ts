/** Numbers and times as the page shows them. */

/** `09:41:07.123` in local time. */
export function clock(time: number): string {
  return `${new Date(time).toTimeString().slice(0, 8)}.${String(Math.floor(time) % 1_000).padStart(3, "0")}`;
}

/** About three digits: `12.3 ms`, `340 ms`, `1.25 s`. */
export function duration(ms: number | null): string {
  if (ms === null) return "";
  if (ms < 100) return `${ms.toFixed(1)} ms`;
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(2)} s`;
}

export function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

export function fill(text: string, ...values: (string | number)[]): string {
  return text.replace(/\{(\d+)\}/g, (place, index) => String(values[Number(index)] ?? place));
}

/** JSON with line breaks; other text as it is. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
