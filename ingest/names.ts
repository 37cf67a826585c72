// Namespaces and sources as objects that carry the number a list last gave them, so that numbering a text that was met
// before costs a comparison and not a look-up. A text that was forgotten in between gets a second object: then it stands
// in the list twice, and both numbers mean the same.

export type Name = {
  readonly text: string;
  /** The list which gave the number. */
  list: number;
  number: number;
};

export const NOBODY: Name = { text: '', list: 0, number: 0 };

/** Beyond this all are forgotten at once. */
const KNOWN_MAX = 1 << 18;
const known = new Map<string, Name>();
let lists = 0;

export function nameOf(text: string): Name {
  const name = known.get(text);
  if (name !== undefined) return name;
  if (known.size >= KNOWN_MAX) known.clear();
  const made = { text, list: 0, number: 0 };
  known.set(text, made);
  return made;
}

/** Names in the order of their first appearance. */
export class NameList {
  readonly names: Name[] = [];
  private readonly list = (lists += 1);

  numberOf(name: Name): number {
    if (name.list === this.list) return name.number;
    name.list = this.list;
    name.number = this.names.push(name) - 1;
    return name.number;
  }
}
