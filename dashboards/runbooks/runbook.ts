// A runbook as data: what a person reads is what the walks run (walks/), so that text and test can't drift apart. Pure.

import { POSTED_ALERTS } from '../../domain/contracts/alert-labels.ts';
import { ALERTS } from '../alerts/list.ts';

/** In this order, each once. */
export const HEADINGS = [
  'What it means',
  'See it',
  'Fix it',
  'It is over when',
  'What not to do, and whom to tell',
] as const;
export type Heading = (typeof HEADINGS)[number];

/** Lines that are not empty: what someone who was woken can take in. */
export const LINES_MAX = 35;

/** Detectors' alerts that may page; no rule raises them. */
const PAGING_POSTED = [POSTED_ALERTS.anomaliesWidespread, POSTED_ALERTS.tenantAnomaly];

export const RUNBOOK_NAMES: readonly string[] = [...new Set([...ALERTS.map(({ name }) => name), ...PAGING_POSTED])];

export type Section = {
  /** Commands of its `sh` block, one per line; `<words>` are to be filled in. */
  readonly commands: readonly string[];
  /** Lines that the commands' answers hold; `…` stands for anything. */
  readonly answer: readonly string[];
};

export type Runbook = {
  readonly name: string;
  readonly headings: readonly string[];
  readonly lines: number;
  readonly sections: Readonly<Record<Heading, Section>>;
  /** Commands that stand in the prose, between backticks. */
  readonly mentioned: readonly string[];
};

export function parseRunbook(text: string): Runbook {
  const [head = '', ...parts] = text.split(/^## /m);
  const bodies = new Map(parts.map((part) => [part.split('\n', 1)[0]?.trim() ?? '', part]));
  const sections = HEADINGS.map((heading) => [heading, readSection(bodies.get(heading) ?? '')] as const);
  return {
    name: /^# (\S+)$/m.exec(head)?.[1] ?? '',
    headings: [...bodies.keys()],
    lines: text.split('\n').filter((line) => line.trim() !== '').length,
    sections: Object.fromEntries(sections) as Record<Heading, Section>,
    mentioned: [...withoutBlocks(text).matchAll(/`(npm run [^`]+)`/g)].map(([, command = '']) => command),
  };
}

function readSection(body: string): Section {
  return { commands: blockOf(body, 'sh'), answer: blockOf(body, 'text') };
}

function blockOf(body: string, language: string): string[] {
  const block = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(body)?.[1] ?? '';
  return block.split('\n').filter((line) => line !== '');
}

function withoutBlocks(text: string): string {
  // A command in the prose may be broken over two lines.
  return text.replaceAll(/^```.*?^```/gms, '').replaceAll(/\n\s*(?=\S)/g, ' ');
}
