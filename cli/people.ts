// trueup people: who may act on the books, and in which roles. Every change stands in the audit log.

import { parseArgs } from 'node:util';
import { decideRoleChange, fetchPeople, setRoles } from '../accounts/people.ts';
import { ROLES, type Role } from '../domain/contracts/permissions.ts';
import { appendAudit, inAuditedTransaction } from '../reconcile/books.ts';
import { UsageError, type Run } from './command.ts';
import { actingAs, answer, oneOf, required, toColumns, withDesk, type Desk } from './desk.ts';

export const run: Run = async ([action, ...args], context) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { roles: { type: 'string' }, as: { type: 'string' }, json: { type: 'boolean', default: false } },
  });
  if (action !== 'set' && action !== 'list') throw new UsageError('say set or list');
  return withDesk(context, async (desk) => {
    if (action === 'set') {
      const roles = parseRoles(required(values.roles, '--roles', `lists ${ROLES.join(', ')}, or is none`));
      await setPerson(desk, { id: oneOf(positionals, 'one person, such as jo.doe'), roles, as: values.as });
    }
    const people = await fetchPeople(desk.db);
    const rows = people.map(({ id, roles }) => [id, roles.length === 0 ? 'none' : roles.join(', ')]);
    answer(context, values.json, { value: people, lines: toColumns([['PERSON', 'ROLES'], ...rows]) });
    return 0;
  });
};

async function setPerson(
  desk: Desk,
  { id, roles, as }: { readonly id: string; readonly roles: readonly Role[]; readonly as: string | undefined },
): Promise<void> {
  await inAuditedTransaction(desk.db, async (tx) => {
    const db: Desk['db'] = tx;
    const people = await fetchPeople(db);
    const actor = as === undefined || people.length === 0 ? null : await actingAs({ ...desk, db }, as);
    const decided = decideRoleChange(actor, people, id);
    if (!decided.granted) throw new UsageError(decided.why);
    await setRoles(db, { id, roles, atMs: desk.nowMs });
    const before = people.find((one) => one.id === id)?.roles ?? null;
    await appendAudit(tx, [
      {
        atMs: desk.nowMs,
        actor: actor?.id ?? id,
        action: 'people.set',
        subject: id,
        details: { before, roles },
      },
    ]);
  });
}

function parseRoles(text: string): Role[] {
  if (text === 'none') return [];
  return text.split(',').map((part) => {
    const role = ROLES.find((known) => known === part.trim());
    if (role === undefined) throw new UsageError(`"${part.trim()}" is no role: ${ROLES.join(', ')}`);
    return role;
  });
}
