// What a run rests on besides its evidence: the price book and the rules by which differences are named. Pure.

import { canonicalJson, sha256 } from '../../domain/canonical.ts';
import { BREAK_RULES } from '../../domain/contracts/break-codes.ts';
import { priceBookHash } from '../../domain/price-book.ts';
import type { RunPins } from '../store/runs.ts';

export function computePins(): RunPins {
  return { priceBookHash: priceBookHash(), rulesHash: sha256(canonicalJson(BREAK_RULES)) };
}
