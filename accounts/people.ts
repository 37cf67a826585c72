// The typed door to the people who act on the books. It stores who they are; what they may do is decided in
// domain/contracts/permissions.ts. Setting the same roles twice changes nothing.

import { TrueupError } from '../domain/contracts/errors.ts';
import {
  PERSON_NAME,
  ROLES,
  decidePermission,
  type Actor,
  type Authorisation,
  type Role,
} from '../domain/contracts/permissions.ts';
import type { Postgres } from '../platform/postgres.ts';

export type PeopleTables = {
  principals: { id: string; kind: 'source' | 'person'; created_at: Date };
  principal_roles: { principal_id: string; role: Role; granted_at: Date };
};

type PeopleDb = Postgres<PeopleTables>;

/** Operators say who may do what, but not about themselves. Where nobody is known yet, anybody may begin. Pure. */
export function decideRoleChange(actor: Actor | null, people: readonly Actor[], id: string): Authorisation {
  if (people.length === 0) return { granted: true };
  if (actor === null) return { granted: false, why: 'people are known already: say who acts' };
  if (actor.id === id) return { granted: false, why: `${id} can't change the own roles: another operator does` };
  return decidePermission(actor, 'people.change');
}

/** Makes the person if needed, and these roles the only ones held; none retires the person. Throws `rejected` for a bad name. */
export async function setRoles(
  db: PeopleDb,
  { id, roles, atMs }: { readonly id: string; readonly roles: readonly Role[]; readonly atMs: number },
): Promise<void> {
  if (!PERSON_NAME.test(id)) {
    throw refused(`"${id}" can't name a person`, 'write it in lower case, such as jo.doe');
  }
  const at = new Date(atMs);
  await db
    .insertInto('principals')
    .values({ id, kind: 'person', created_at: at })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { kind } = await db.selectFrom('principals').select('kind').where('id', '=', id).executeTakeFirstOrThrow();
  if (kind !== 'person') throw refused(`${id} is a ${kind}, not a person`, 'choose another name');
  await db
    .deleteFrom('principal_roles')
    .where('principal_id', '=', id)
    .$if(roles.length > 0, (query) => query.where('role', 'not in', [...roles]))
    .execute();
  if (roles.length === 0) return;
  await db
    .insertInto('principal_roles')
    .values(roles.map((role) => ({ principal_id: id, role, granted_at: at })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Everybody, by name, with the roles held now. */
export async function fetchPeople(db: PeopleDb): Promise<Actor[]> {
  const people = await db.selectFrom('principals').select('id').where('kind', '=', 'person').orderBy('id').execute();
  const held = await db.selectFrom('principal_roles').select(['principal_id', 'role']).execute();
  const rolesOf = Map.groupBy(held, ({ principal_id }) => principal_id);
  return people.map(({ id }) => {
    const own = (rolesOf.get(id) ?? []).map(({ role }) => role);
    return { id, roles: ROLES.filter((role) => own.includes(role)) };
  });
}

/** Throws `rejected` NOT_PERMITTED for a name nobody has. */
export async function fetchActor(db: PeopleDb, id: string): Promise<Actor> {
  const person = (await fetchPeople(db)).find((one) => one.id === id);
  if (person === undefined) throw refused(`nobody is named "${id}"`, 'add them with trueup people set');
  return person;
}

function refused(message: string, next: string): TrueupError {
  return new TrueupError({ kind: 'rejected', code: 'NOT_PERMITTED', message, next });
}
