import { describe, expect, test } from 'vitest';
import { CLOSE_PROCESS, PERSON_NAME, ROLES, decidePermission, type Permission } from './permissions.ts';

const granted = (permission: Permission) =>
  ROLES.filter((role) => decidePermission({ id: 'jo', roles: [role] }, permission).granted);

describe('permissions', () => {
  test('each signature and the reopening has a role of its own', () => {
    expect(granted('sign-off.prepare')).toEqual(['preparer']);
    expect(granted('sign-off.approve')).toEqual(['reviewer']);
    expect(granted('sign-off.reopen')).toEqual(['reopener']);
  });

  test('money is given up by a reviewer only, and nobody who approves a repair may apply it by that role', () => {
    expect(granted('case.write-off')).toEqual(['reviewer']);
    expect(granted('repair.approve')).toEqual(['reviewer']);
    expect(granted('repair.apply')).not.toContain('reviewer');
  });

  test('a refusal says which role is missing and which are held', () => {
    expect(decidePermission({ id: 'jo', roles: [] }, 'sign-off.reopen')).toEqual({
      granted: false,
      why: 'sign-off.reopen needs the role reopener; jo has no role',
    });
  });

  test('no person can be named like a process or by a second spelling of a name', () => {
    for (const name of [CLOSE_PROCESS, 'Jo', 'jo ', 'jo/x', 'j', '']) expect(PERSON_NAME.test(name)).toBe(false);
    for (const name of ['jo', 'jo.doe', 'jo-2']) expect(PERSON_NAME.test(name)).toBe(true);
  });
});
