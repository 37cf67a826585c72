// trueup audit-log: the chain of who did what to the books. `anchor` prints where it ends, to be kept outside; `verify`
// checks every entry, and the end against the signatures and against anchors that were kept.

import { parseArgs } from 'node:util';
import { fetchAuditEntries, fetchAuditHead, verifyAuditLog, type KnownAnchor } from '../reconcile/books.ts';
import { UsageError, type Run } from './command.ts';
import { answer, toColumns, withDesk } from './desk.ts';

export const run: Run = async ([action, ...args], context) => {
  const { values } = parseArgs({
    args,
    options: {
      anchor: { type: 'string', multiple: true, default: [] },
      after: { type: 'string', default: '0' },
      limit: { type: 'string', default: '50' },
      subject: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  return withDesk(context, async ({ db }) => {
    switch (action) {
      case 'verify': {
        const check = await verifyAuditLog(db, values.anchor.map(parseAnchor));
        const intact = `intact: ${check.entries} entries, ${check.anchors} anchors`;
        const lines = check.faults.map(({ kind, says }) => `${kind.toUpperCase()}: ${says}`);
        answer(context, values.json, { value: check, lines: lines.length === 0 ? [intact] : lines });
        return check.faults.length === 0 ? 0 : 1;
      }
      case 'list': {
        const entries = await fetchAuditEntries(db, {
          after: parseCount('--after', values.after),
          limit: Number(parseCount('--limit', values.limit)),
          ...(values.subject === undefined ? {} : { subject: values.subject }),
        });
        const rows = entries.map((one) => [`${one.sequence}`, one.at, one.actor, one.action, one.subject, one.details]);
        const heading = ['ENTRY', 'AT', 'WHO', 'WHAT', 'ABOUT', 'DETAILS'];
        answer(context, values.json, { value: entries, lines: toColumns([heading, ...rows]) });
        return 0;
      }
      case 'anchor': {
        const head = await fetchAuditHead(db);
        answer(context, values.json, { value: head, lines: [`${head.sequence}:${head.hash}`] });
        return 0;
      }
      default:
        throw new UsageError('say verify, list or anchor');
    }
  });
};

function parseAnchor(text: string): KnownAnchor {
  const [, sequence, hash] = /^(\d{1,18}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (sequence === undefined || hash === undefined) {
    throw new UsageError('--anchor is what trueup audit-log anchor printed: <entry>:<hash>');
  }
  return { sequence: BigInt(sequence), hash, from: 'the given anchor' };
}

function parseCount(option: string, text: string): bigint {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${option} is a whole number`);
  return BigInt(text);
}
