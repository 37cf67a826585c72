// The verdict in the words of the person who signs. Pure.

import type { Report } from '../report/types.ts';
import { formatAmountIn, formatPeriod, joinWords, plural } from './format.ts';
import { currenciesOf, sumDifferences } from './totals.ts';

/** `headline` answers whether the period ties, `detail` what stands in the way. */
export type Verdict = { readonly headline: string; readonly detail: string };

export function toVerdict(report: Report): Verdict {
  const period = formatPeriod(report.period);
  if (report.verdict.result === 'clean') {
    return { headline: `${period} ties:`, detail: sentencesOf(['nothing to explain', acceptedWords(report)]) };
  }
  const open = [...differenceWords(report), ...explanationWords(report)].join('; ');
  const detail = sentencesOf([open, acceptedWords(report), stateWords(report)]);
  return { headline: `${period} does not tie yet:`, detail };
}

function sentencesOf(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('. ')}.`;
}

/** Kept apart from what is open: accepted within its computed bound, and still money. */
function acceptedWords(report: Report): string {
  const accepted = report.breaks.filter(({ status }) => status === 'auto-accepted');
  if (accepted.length === 0) return '';
  const nets = currenciesOf(report).flatMap((currency) => {
    const { count, underMinor, overMinor } = sumDifferences(accepted, currency);
    return count === 0 ? [] : [formatAmountIn(underMinor - overMinor, currency)];
  });
  return `${plural(accepted.length, 'rounding difference')} accepted, ${joinWords(nets)}`;
}

function differenceWords(report: Report): string[] {
  const open = report.breaks.filter(({ status }) => status === 'open');
  if (open.length === 0) return [];
  const worth = currenciesOf(report).flatMap((currency) => {
    const { underMinor, overMinor } = sumDifferences(open, currency);
    const under = underMinor > 0n ? [`${formatAmountIn(underMinor, currency)} under-billed`] : [];
    const over = overMinor > 0n ? [`${formatAmountIn(overMinor, currency)} over-billed`] : [];
    return [...under, ...over];
  });
  return [`${plural(open.length, 'difference')} worth ${worth.length === 0 ? 'no money' : joinWords(worth)}`];
}

function explanationWords({ verdict: { openBreaks, unexplained } }: Report): string[] {
  if (unexplained === 1) return ['1 total does not tie and has no explanation yet'];
  if (unexplained > 1) return [`${plural(unexplained, 'total')} do not tie and have no explanation yet`];
  if (openBreaks === 0) return [];
  return [openBreaks === 1 ? 'it is explained' : 'every one of them is explained'];
}

function stateWords({ verdict, accounts }: Report): string {
  const states: readonly (readonly [number, string])[] = [
    [verdict.held, 'held'],
    [verdict.missing, 'without an invoice'],
    [verdict.failed, 'failed'],
    [accounts.filter(({ state }) => state === 'open').length, 'not finished'],
  ];
  const named = states.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return named.length === 0 ? '' : `Of ${plural(verdict.accounts, 'account')}: ${joinWords(named)}`;
}
