// Shards of the rollup: a namespace belongs to one of them by the hash of its name, and a worker rolls up the namespaces of
// those it owns, so that several workers share the work. Who owns what is agreed on in a table, by leases.
// Promises: while workers come and go, a shard whose owner went silent is taken over when its lease ends; in the end every
// shard has an owner and nobody has two more than another. Correctness rests on none of it (rollup.ts).

/** One of `shards`; a parameter of every query with `(in_shard)`. */
export type Shard = { readonly shard: number; readonly shards: number };

/** All namespaces. */
export const WHOLE: Shard = { shard: 0, shards: 1 };

export type ShardRow = {
  readonly shard: number;
  readonly owner: string | null;
  readonly leasedUntilMs: number | null;
  readonly wantedBy: string | null;
};

/** After a kill -9 a shard stands still for at most so long; a lease is renewed every second. By the database's clock. */
export const LEASE_MS = 5_000;

/** The rows as `me` leaves them after a look at `nowMs`. Pure. */
export function computeHoldings(rows: readonly ShardRow[], me: string, nowMs: number): ShardRow[] {
  const lease = (row: ShardRow, owner: string): ShardRow => {
    return { ...row, owner, leasedUntilMs: nowMs + LEASE_MS, wantedBy: row.wantedBy === owner ? null : row.wantedBy };
  };
  const isFree = ({ owner, leasedUntilMs }: ShardRow) => owner === null || (leasedUntilMs ?? 0) <= nowMs;
  const renewed = rows.map((row) => (row.owner === me || isFree(row) ? lease(row, me) : row));
  const countOf = (owner: string | null) => renewed.filter((row) => row.owner === owner).length;
  const mine = countOf(me);
  const given = renewed.find(({ owner, wantedBy }) => owner === me && wantedBy !== null);
  if (given !== undefined) {
    const to = given.wantedBy ?? me;
    const answered = countOf(to) + 2 <= mine ? lease(given, to) : { ...given, wantedBy: null };
    return renewed.map((row) => (row === given ? answered : row));
  }
  if (renewed.some(({ wantedBy }) => wantedBy === me)) return renewed;
  const wanted = renewed
    .filter(({ owner, wantedBy }) => wantedBy === null && countOf(owner) >= mine + 2)
    .toSorted((a, b) => countOf(b.owner) - countOf(a.owner))[0];
  return renewed.map((row) => (row === wanted ? { ...row, wantedBy: me } : row));
}
