/** Which version of Linkup is older. */

/** Compares the numbers of `1.20.3`; a pre-release counts as its release. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split(/[.+-]/, 3).map(Number)) as [number[], number[]];
  for (const [i, part] of b.entries()) {
    const difference = (a[i] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
