import { describe, expect, test } from 'vitest';
import { computeGate, type GateInput } from './gate.ts';

const rated = { actions: 5n, active_storage: 0n, retained_storage: 7n };
const good: GateInput = {
  rated,
  summaries: rated,
  feeMinor: 10n,
  feeOnDraftMinor: 10n,
  commitmentMinor: 3n,
  commitmentOnDraftMinor: 3n,
  invoices: 1,
  onHold: false,
};

describe('the gate', () => {
  test('passes when everything is known and agrees', () => {
    expect(computeGate(good)).toEqual({ pass: true });
    expect(computeGate({ ...good, feeMinor: 0n, feeOnDraftMinor: null })).toEqual({ pass: true });
  });

  test('never passes on a summary that was not read, even where zero would agree', () => {
    const summaries = { actions: 5n, retained_storage: 7n };
    expect(computeGate({ ...good, summaries })).toEqual({ pass: false, reasons: ['SUMMARY_UNREAD'] });
  });

  test('holds what somebody put on hold, whatever else agrees', () => {
    expect(computeGate({ ...good, onHold: true })).toEqual({ pass: false, reasons: ['ON_HOLD'] });
  });

  test('holds for each reason, and tells all of them', () => {
    expect(computeGate({ ...good, summaries: { ...rated, actions: 4n } })).toMatchObject({
      reasons: ['USAGE_DIFFERS'],
    });
    expect(computeGate({ ...good, rated: null, feeMinor: null })).toMatchObject({ reasons: ['NOT_RATED'] });
    expect(computeGate({ ...good, feeOnDraftMinor: 9n })).toMatchObject({ reasons: ['FEE_DIFFERS'] });
    expect(computeGate({ ...good, commitmentOnDraftMinor: 4n })).toMatchObject({ reasons: ['FEE_DIFFERS'] });
    expect(computeGate({ ...good, feeOnDraftMinor: 9n, commitmentOnDraftMinor: 4n })).toMatchObject({
      reasons: ['FEE_DIFFERS'],
    });
    expect(computeGate({ ...good, invoices: 2 })).toMatchObject({ reasons: ['SEVERAL_INVOICES'] });
    expect(
      computeGate({ ...good, rated: null, summaries: {}, feeMinor: null, feeOnDraftMinor: null, invoices: 2 }),
    ).toMatchObject({
      pass: false,
      reasons: ['SUMMARY_UNREAD', 'NOT_RATED', 'SEVERAL_INVOICES'],
    });
  });
});
