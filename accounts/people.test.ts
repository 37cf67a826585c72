import { expect, test } from 'vitest';
import type { Actor } from '../domain/contracts/permissions.ts';
import { decideRoleChange } from './people.ts';

const jo: Actor = { id: 'jo', roles: ['operator'] };
const sam: Actor = { id: 'sam', roles: ['reviewer'] };

test('the first person needs nobody; afterwards roles are given by an operator, and never by oneself', () => {
  const may = (actor: Actor | null, people: Actor[], id: string) => decideRoleChange(actor, people, id).granted;
  expect(may(null, [], 'jo')).toBe(true);
  expect(may(null, [jo], 'sam')).toBe(false);
  expect(may(jo, [jo], 'sam')).toBe(true);
  expect(may(jo, [jo, sam], 'jo')).toBe(false);
  expect(may(sam, [jo, sam], 'jo')).toBe(false);
});
