/** The candidate with the smallest edit distance to a misspelt word, if it is close enough to be what was meant. */
export function nearestWord(word: string, candidates: Iterable<string>): string | undefined {
  // No known word is this long, and the distance takes time in proportion to the length.
  if (word.length > MAX_LENGTH) return undefined;
  let best: string | undefined;
  let limit = Math.min(word.length, Math.max(2, Math.floor(word.length / 3)) + 1);
  const wanted = word.toLowerCase();
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= limit) continue;
    const distance = editDistance(wanted, candidate.toLowerCase(), limit);
    if (distance < limit) [best, limit] = [candidate, distance];
  }
  return best;
}

const MAX_LENGTH = 100;

/** Damerau-Levenshtein distance (letters changed, added, removed, or swapped with the next); `limit` or more when it is not below `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, before[j - 2]! + 1);
      next.push(cost);
    }
    if (Math.min(...next) >= limit && Math.min(...row) >= limit) return limit;
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
