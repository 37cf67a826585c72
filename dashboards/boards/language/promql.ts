// What a PromQL expression asks for, read from Prometheus' own grammar. Pure; it never throws: what can't be parsed is
// listed as an error.

import { parser } from '@prometheus-io/lezer-promql';

type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

export type Matcher = { readonly label: string; readonly operator: string; readonly value: string };

export type Selector = {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
  /** The function that takes the selector's range: `rate`, `increase`, …; undefined for an instant selector. */
  readonly under: string | undefined;
};

export type Expression = {
  readonly errors: readonly string[];
  readonly selectors: readonly Selector[];
  /** Labels named in by, without, on, ignoring and group_left. */
  readonly grouping: readonly string[];
};

export function parsePromql(text: string): Expression {
  const errors: string[] = [];
  const selectors: Selector[] = [];
  const grouping = new Set<string>();
  const wordsOf = (node: SyntaxNode) => text.slice(node.from, node.to);
  parser.parse(text).iterate({
    enter: ({ type, node }) => {
      if (type.isError) errors.push(`near "${text.slice(Math.max(0, node.from - 12), node.to + 12)}"`);
      if (type.name === 'VectorSelector') selectors.push(readSelector(node, wordsOf));
      if (type.name === 'GroupingLabels')
        for (const label of node.getChildren('LabelName')) grouping.add(wordsOf(label));
    },
  });
  return { errors, selectors, grouping: [...grouping] };
}

function readSelector(node: SyntaxNode, wordsOf: (node: SyntaxNode) => string): Selector {
  const name = node.getChild('Identifier');
  const matchers = (node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []).map((matcher) => {
    const [label, operator, value] = ['LabelName', 'MatchOp', 'StringLiteral'].map((kind) => matcher.getChild(kind));
    return {
      label: label ? wordsOf(label) : '',
      operator: operator ? wordsOf(operator) : '',
      value: value ? wordsOf(value).slice(1, -1) : '',
    };
  });
  return { metric: name === null ? '' : wordsOf(name), matchers, under: readFunction(node, wordsOf) };
}

/** A range selector stands in a matrix selector, that in the body of a call. */
function readFunction(node: SyntaxNode, wordsOf: (node: SyntaxNode) => string): string | undefined {
  const matrix = node.parent;
  if (matrix?.type.name !== 'MatrixSelector') return undefined;
  const name = matrix.parent?.parent?.getChild('FunctionIdentifier');
  return name ? wordsOf(name) : undefined;
}
