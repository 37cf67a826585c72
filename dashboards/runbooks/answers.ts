// What a runbook leaves open: `<words>` that whoever reads it fills in, and `…` for what differs each time. Pure.

export type Fill = Readonly<Record<string, string>>;

const WORD = /<([a-z][a-z ]*)>/g;

/** Throws on a word that nobody gave a value for. */
export function fillIn(text: string, fill: Fill): string {
  return text.replaceAll(WORD, (_, word: string) => {
    const value = fill[word];
    if (value === undefined) throw new Error(`"${text}" needs a value for <${word}>`);
    return value;
  });
}

/** The lines of the answer that nothing in `output` matches. Upper and lower case are alike: names of servers begin sentences. */
export function findMissing(answer: readonly string[], output: string, fill: Fill): string[] {
  return answer
    .map((line) => fillIn(line, fill))
    .filter((line) => {
      const pattern = line.split('…').map(escape).join('.*');
      return !new RegExp(pattern, 'i').test(output);
    });
}

function escape(text: string): string {
  // Runs of blanks are columns, whose width goes by what else stands in them.
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/ +/g, ' +');
}
