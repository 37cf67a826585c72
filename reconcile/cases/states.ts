// The life of a case, as a table: which event leads where. Pure and total: an event that has no arrow from where the case
// stands is refused with a reason, and nothing leads out of the states named here.

export const CASE_STATES = [
  'open',
  'assigned',
  'investigating',
  'repair-planned',
  'repaired',
  'accepted',
  'written-off',
  'closed',
] as const;

export type CaseState = (typeof CASE_STATES)[number];

/** What can happen to a case. Whoever settles one says why. Amounts are minor units as decimal strings. */
export type CaseEvent =
  | { readonly kind: 'opened'; readonly run: string; readonly amountMinor: string }
  | { readonly kind: 'assigned'; readonly owner: string }
  | { readonly kind: 'investigation-started' }
  | { readonly kind: 'repair-planned'; readonly repair: string }
  | { readonly kind: 'repair-dropped'; readonly repair: string; readonly reason: string }
  | { readonly kind: 'repaired'; readonly repair: string }
  | { readonly kind: 'accepted'; readonly reason: string }
  | { readonly kind: 'written-off'; readonly reason: string }
  | { readonly kind: 'closed'; readonly reason: string }
  | { readonly kind: 'vanished'; readonly run: string }
  | { readonly kind: 'reopened'; readonly reason: string }
  | { readonly kind: 'amount-changed'; readonly run: string; readonly fromMinor: string; readonly toMinor: string }
  | { readonly kind: 'commented'; readonly text: string }
  | { readonly kind: 'evidence-linked'; readonly evidence: string; readonly note: string };

export type CaseEventKind = CaseEvent['kind'];

/** `stays` marks what is noted without moving the case. */
type Arrows = Readonly<Partial<Record<CaseEventKind, CaseState | 'stays'>>>;

const NOTED = { commented: 'stays', 'evidence-linked': 'stays', 'amount-changed': 'stays' } as const;
/** A difference that a later run doesn't find is over, wherever its case stood. */
const NOTED_OR_GONE = { ...NOTED, vanished: 'closed' } as const;
const SETTLING = { accepted: 'accepted', 'written-off': 'written-off', closed: 'closed' } as const;

const ARROWS: Readonly<Record<CaseState, Arrows>> = {
  open: {
    ...NOTED_OR_GONE,
    ...SETTLING,
    assigned: 'assigned',
    'investigation-started': 'investigating',
    'repair-planned': 'repair-planned',
  },
  assigned: {
    ...NOTED_OR_GONE,
    ...SETTLING,
    assigned: 'stays',
    'investigation-started': 'investigating',
    'repair-planned': 'repair-planned',
  },
  investigating: { ...NOTED_OR_GONE, ...SETTLING, assigned: 'stays', 'repair-planned': 'repair-planned' },
  // Not accepted or closed while a repair may charge it: that is dropped first. A repair can itself be a write-off.
  'repair-planned': {
    ...NOTED_OR_GONE,
    assigned: 'stays',
    'repair-dropped': 'investigating',
    repaired: 'repaired',
    'written-off': 'written-off',
  },
  // Whether it helped is what the next run says.
  repaired: { ...NOTED_OR_GONE, assigned: 'stays', closed: 'closed', reopened: 'investigating' },
  accepted: { ...NOTED_OR_GONE, closed: 'closed', reopened: 'investigating' },
  'written-off': { ...NOTED_OR_GONE, closed: 'closed', reopened: 'investigating' },
  closed: { ...NOTED, reopened: 'open' },
};

/** Nothing is left to do about it. */
export function isSettled(state: CaseState): boolean {
  return state === 'accepted' || state === 'written-off' || state === 'closed';
}

/** Why the case is settled by this event; null when it isn't. */
export function reasonOf(event: CaseEvent): string | null {
  switch (event.kind) {
    case 'accepted':
    case 'written-off':
    case 'closed':
      return event.reason;
    case 'vanished':
      return `vanished in run ${event.run}`;
    default:
      return null;
  }
}

/** Whether `reason` is one: something is said. */
export function isReason(reason: string): boolean {
  return reason.trim() !== '';
}

export type Step = { readonly ok: true; readonly state: CaseState } | { readonly ok: false; readonly why: string };

export function applyCaseEvent(state: CaseState, event: CaseEvent): Step {
  if ('reason' in event && !isReason(event.reason)) return { ok: false, why: `${event.kind} needs a reason` };
  const to = ARROWS[state][event.kind];
  if (to === undefined) {
    const possible = Object.keys(ARROWS[state]).join(', ');
    return { ok: false, why: `a case that is ${state} can't be ${event.kind}; possible are: ${possible}` };
  }
  return { ok: true, state: to === 'stays' ? state : to };
}
