/**
 * Splits ClickHouse SQL into tokens, lazily, so that a reader may stop where inline data begins.
 *
 * Works on a latin1 view of the bytes: every offset is a byte offset, and the syntax that matters is ASCII.
 * Comments are skipped; what is inside strings, quoted names and heredocs is never mistaken for syntax.
 */

export type TokenKind = 'word' | 'name' | 'string' | 'number' | 'placeholder' | 'mark';

export interface Token {
  readonly kind: TokenKind;
  /** As written; words are upper-cased so that keywords compare directly. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** How many brackets are open around the token; an opening and its closing bracket have the same depth. */
  readonly depth: number;
}

const WHITESPACE = /\s+/y;
const COMMENT = /--[^\n]*|#[ !][^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y;
const HEREDOC = /\$([A-Za-z0-9_]*)\$[\s\S]*?(?:\$\1\$|$)/y;
// Two of the same quote in a row stand for one quote inside the literal.
const STRING = /'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)/y;
const NAME = /`(?:[^`\\]|\\[\s\S]|``)*(?:`|$)|"(?:[^"\\]|\\[\s\S]|"")*(?:"|$)/y;
const WORD = /[A-Za-z_\u0080-\u00ff][A-Za-z0-9_$\u0080-\u00ff]*/y;
const NUMBER = /\d[\w.]*/y;
const PLACEHOLDER = /\{\s*[A-Za-z_]\w*\s*:[^{}]+\}/y;

const KINDS: readonly (readonly [TokenKind, RegExp])[] = [
  ['string', STRING],
  ['string', HEREDOC],
  ['name', NAME],
  ['word', WORD],
  ['number', NUMBER],
  ['placeholder', PLACEHOLDER],
];

/** The tokens of `sql` from `from` on. Text that fits nothing else becomes one-character marks. */
export function* parseTokens(sql: string, from = 0): Generator<Token, void, undefined> {
  let at = from;
  let depth = 0;
  while (at < sql.length) {
    const skipped = matchAt(WHITESPACE, sql, at) ?? matchAt(COMMENT, sql, at);
    if (skipped !== undefined) {
      at += skipped.length;
      continue;
    }
    const token = tokenAt(sql, at);
    if (token.kind === 'mark' && ')]}'.includes(token.text)) depth = Math.max(0, depth - 1);
    yield { ...token, depth };
    if (token.kind === 'mark' && '([{'.includes(token.text)) depth += 1;
    at = token.end;
  }
}

function tokenAt(sql: string, start: number): Omit<Token, 'depth'> {
  for (const [kind, pattern] of KINDS) {
    const text = matchAt(pattern, sql, start);
    if (text === undefined) continue;
    return { kind, text: kind === 'word' ? text.toUpperCase() : text, start, end: start + text.length };
  }
  return { kind: 'mark', text: sql.charAt(start), start, end: start + 1 };
}

function matchAt(pattern: RegExp, sql: string, at: number): string | undefined {
  pattern.lastIndex = at;
  const found = pattern.exec(sql);
  return found === null || found[0].length === 0 ? undefined : found[0];
}
