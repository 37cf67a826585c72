// Who may do what to the books. A person acts under one name with the roles held at that moment; what the machinery does
// by itself is done by a named process, which needs no permission and can give none. Pure.

/**
 * `preparer` works the period and signs first; `reviewer` judges and signs second; `operator` runs the machinery;
 * `reopener` may open a locked period again. One person may hold several; the two signatures still need two persons.
 */
export const ROLES = ['preparer', 'reviewer', 'operator', 'reopener'] as const;

export type Role = (typeof ROLES)[number];

export type Actor = { readonly id: string; readonly roles: readonly Role[] };

const HOLDERS = {
  'people.change': ['operator'],
  'case.work': ['preparer', 'reviewer', 'operator'],
  'case.accept': ['preparer', 'reviewer'],
  'case.write-off': ['reviewer'],
  'repair.plan': ['preparer', 'operator'],
  'repair.approve': ['reviewer'],
  'repair.apply': ['preparer', 'operator'],
  'run.rerun': ['preparer', 'operator'],
  'sign-off.prepare': ['preparer'],
  'sign-off.approve': ['reviewer'],
  'sign-off.reopen': ['reopener'],
  'hold.add': ['preparer', 'reviewer', 'operator'],
  'hold.release': ['reviewer', 'operator'],
  'tenant.pin': ['operator'],
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof HOLDERS;

export type Authorisation = { readonly granted: true } | { readonly granted: false; readonly why: string };

export function decidePermission({ id, roles }: Actor, permission: Permission): Authorisation {
  const holders: readonly Role[] = HOLDERS[permission];
  if (roles.some((role) => holders.includes(role))) return { granted: true };
  const held = roles.length === 0 ? 'no role' : roles.join(', ');
  return { granted: false, why: `${permission} needs the role ${holders.join(' or ')}; ${id} has ${held}` };
}

/** The process that closes periods, as it stands in the audit log. No person can have this name: it has a slash. */
export const CLOSE_PROCESS = 'trueup/close';

/** A name people act under: lower case, so that one person can't be two by spelling. */
export const PERSON_NAME = /^[a-z][a-z0-9._-]{0,62}[a-z0-9]$/;
