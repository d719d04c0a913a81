/** @file The nearest known name to a misspelt one, for error messages. */

/** Letters of a name that is compared at most: two longer ones would take minutes. */
const LONGEST = 100;

/**
 * The candidate nearest to `word`, when it is near enough to be what was meant: at most one typing error (a letter added,
 * left out, replaced, or swapped with its neighbour) per three letters of the longer of the two (rounded), letter case
 * ignored. Among equally near ones the first wins. A name of more than a hundred letters is near none.
 */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > LONGEST) return undefined;
  let nearest: string | undefined;
  let nearestDistance = Infinity;
  for (const candidate of candidates) {
    const tolerated = Math.round(Math.max(word.length, candidate.length) / 3);
    // As many letters are added or left out, at least.
    if (candidate.length > LONGEST || Math.abs(word.length - candidate.length) > tolerated) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance <= tolerated && distance < nearestDistance) {
      nearest = candidate;
      nearestDistance = distance;
    }
  }
  return nearest;
}

/** Optimal string alignment distance (Damerau-Levenshtein without repeated edits of a substring), three rows at a time. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, last[j] + 1, row[j - 1] + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}
