import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GENESIS, computeEntryHash, toEntry, type Anchor, type AuditEntry } from './entry.ts';
import { createVerifier, type KnownAnchor } from './verify.ts';

function chainOf(count: number): AuditEntry[] {
  let head: Anchor = GENESIS;
  return Array.from({ length: count }, (_, index) => {
    const draft = { atMs: index, actor: 'jo', action: 'case.commented', subject: 'c', details: { text: `${index}` } };
    const entry = toEntry(head, draft);
    head = entry;
    return entry;
  });
}

const headOf = (chain: readonly Anchor[]): Anchor => chain.at(-1) ?? GENESIS;

function faultsOf(chain: readonly AuditEntry[], head: Anchor, anchors: readonly KnownAnchor[] = []): string[] {
  const verifier = createVerifier(anchors);
  for (const entry of chain) verifier.check(entry);
  return verifier.end(head).map(({ kind, sequence }) => `${kind} ${sequence}`);
}

/** What somebody can do who knows how hashes are made: every later entry is made to fit again. */
function rewrite(chain: readonly AuditEntry[], from: number, actor: string): AuditEntry[] {
  let head: Anchor = chain[from - 1] ?? GENESIS;
  return chain.map((entry, index) => {
    if (index < from) return entry;
    const content = { ...entry, actor: index === from ? actor : entry.actor, prevHash: head.hash };
    const made = { ...content, hash: computeEntryHash(content) };
    head = made;
    return made;
  });
}

describe('the audit log verifier', () => {
  const chain = chainOf(6);

  test('finds nothing in a log as it was written, an empty one included', () => {
    expect(
      faultsOf(
        chain,
        headOf(chain),
        chain.map((entry) => ({ ...entry, from: 'a copy' })),
      ),
    ).toEqual([]);
    expect(faultsOf([], GENESIS)).toEqual([]);
  });

  test('finds an edit of any field of any entry', () => {
    const edits: ((entry: AuditEntry) => Partial<AuditEntry>)[] = [
      () => ({ at: '2026-01-01T00:00:00.000Z' }),
      () => ({ actor: 'sam' }),
      () => ({ action: 'case.closed' }),
      () => ({ subject: 'd' }),
      ({ details }) => ({ details: `${details} ` }),
      () => ({ prevHash: 'f'.repeat(64) }),
      () => ({ hash: 'f'.repeat(64) }),
    ];
    for (const edit of edits) {
      for (const [at, entry] of chain.entries()) {
        const changed = chain.with(at, { ...entry, ...edit(entry) });
        expect(faultsOf(changed, headOf(chain))[0]).toMatch(new RegExp(`^(edited|unlinked) ${at + 1}$`));
      }
    }
  });

  test('finds any set of entries that went, whichever they were', () => {
    fc.assert(
      fc.property(fc.subarray([...chain.keys()], { maxLength: chain.length - 1 }), (kept) => {
        const left = chain.filter((_, index) => kept.includes(index));
        expect(faultsOf(left, headOf(chain))).not.toEqual([]);
      }),
    );
  });

  test('finds entries that changed places, renumbered or not', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(chain, { minLength: chain.length }), (shuffled) => {
        fc.pre(shuffled.some((entry, index) => entry !== chain[index]));
        const renumbered = shuffled.map((entry, index) => ({ ...entry, sequence: BigInt(index + 1) }));
        expect(faultsOf(shuffled, headOf(chain))).not.toEqual([]);
        expect(faultsOf(renumbered, headOf(chain))).not.toEqual([]);
      }),
    );
  });

  test('finds a missing tail by the head, and by an anchor when the head was cut back too', () => {
    const cut = chain.slice(0, 4);
    expect(faultsOf(cut, headOf(chain))).toEqual(['truncated 6']);
    expect(faultsOf(cut, headOf(cut))).toEqual([]);
    expect(faultsOf(cut, headOf(cut), [{ ...headOf(chain), from: 'a signature' }])).toEqual(['truncated 6']);
  });

  test('finds a log rewritten from any entry on, by any anchor behind that entry', () => {
    for (const [from] of chain.entries()) {
      const forged = rewrite(chain, from, 'mallory');
      expect(faultsOf(forged, headOf(forged))).toEqual([]);
      expect(faultsOf(forged, headOf(chain))).toEqual(['rewritten 6']);
      expect(faultsOf(forged, headOf(forged), [{ ...headOf(chain), from: 'a signature' }])).toEqual(['rewritten 6']);
    }
  });

  test('finds an entry that was smuggled in behind the head', () => {
    const longer = chainOf(7);
    expect(faultsOf(longer, headOf(chain))).toEqual(['unrecorded 7']);
  });
});
