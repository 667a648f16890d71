/** Durations as people write them (`90s`, `30m`, `12h`, `7d`, `2w`), and as they read them. */
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** In seconds; undefined for anything else than a whole number above 0 with one of the units. */
export function parseDuration(text: string): number | undefined {
  const [, number = "", unit = ""] = /^(\d{1,8})([smhdw])$/.exec(text.trim()) ?? [];
  const seconds = Number(number) * (SECONDS[unit] ?? 0);
  return seconds > 0 ? seconds : undefined;
}

/** In the largest unit that fits, rounded: minutes below an hour, hours below two days. Below zero it is 0 min. */
export function inLargestUnit(ms: number): { count: number; unit: "min" | "h" | "d" } {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 60) return { count: minutes, unit: "min" };
  if (minutes < 48 * 60) return { count: Math.round(minutes / 60), unit: "h" };
  return { count: Math.round(minutes / 1440), unit: "d" };
}
