/** Durations as people write them: `90s`, `30m`, `12h`, `7d`, `2w`. */
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** In seconds; undefined for anything else than a whole number above 0 with one of the units. */
export function parseDuration(text: string): number | undefined {
  const [, number = "", unit = ""] = /^(\d{1,8})([smhdw])$/.exec(text.trim()) ?? [];
  const seconds = Number(number) * (SECONDS[unit] ?? 0);
  return seconds > 0 ? seconds : undefined;
}
