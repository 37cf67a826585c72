// Durations as people say them.

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

/** `3 d 4 h`, `12 min`, `40 s`: the two largest units, rounded down. */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.floor(ms));
  const words: string[] = [];
  for (const [size, unit] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) words.push(`${count} ${unit}`);
    if (words.length === 2 || (words.length === 1 && count === 0)) break;
  }
  return words.length === 0 ? '0 s' : words.join(' ');
}
