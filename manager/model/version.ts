/** Which version of Linkup is older. */

/** Compares the numbers of `1.20.3`. Only an older process is replaced: windows of two versions would otherwise replace each other's for ever. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split(/[.+-]/, 3).map(Number)) as [number[], number[]];
  for (const [i, part] of b.entries()) {
    const difference = (a[i] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
