/**
 * Says what kind of statement a request carries, without understanding it: enough to put settings in the right place,
 * to find where inline data begins, and to choose how the engine is asked.
 *
 * Pure. Offsets are byte offsets, because the text is a latin1 view of the request's bytes.
 */
import { EngineError } from './errors.ts';
import { InsertReader } from './insert-shape.ts';
import type { InsertShape } from './insert-shape.ts';
import { parseTokens } from './tokens.ts';
import type { Token } from './tokens.ts';

/** `read` gives rows and changes nothing; `insert` writes rows; `change` is all else (DDL, mutations, SYSTEM, …). */
export type StatementKind = 'read' | 'insert' | 'change';

export interface Statement {
  readonly kind: StatementKind;
  /** First keyword, upper-cased; `(` for a bracketed SELECT. */
  readonly verb: string;
  readonly tokens: readonly Token[];
  /** Where the statement's own text ends: before a final semicolon, before inline data. */
  readonly end: number;
  /** Output format named by the statement itself. */
  readonly format: string | undefined;
  readonly ownSettings: OwnSettings;
  readonly insert: InsertShape | undefined;
}

export interface OwnSettings {
  readonly names: ReadonlySet<string>;
  /** A clause behind FORMAT takes more settings after a comma; another SETTINGS is a syntax error there. */
  readonly isLastClause: boolean;
}

const READ_VERBS = new Set(['SELECT', 'WITH', '(', 'SHOW', 'DESCRIBE', 'DESC', 'EXPLAIN', 'EXISTS', 'CHECK', 'FROM']);

/** Classifies the statement in `sql`. Throws EngineError 62 for nothing or for more than one statement. */
export function parseStatement(sql: string): Statement {
  const tokens: Token[] = [];
  let insert: InsertReader | undefined;
  for (const token of parseTokens(sql)) {
    if (isMark(token, ';')) {
      refuseSecondStatement(sql, token.end);
      break;
    }
    tokens.push(token);
    if (insert === undefined && opensInsert(tokens)) insert = new InsertReader(sql);
    else if (insert?.read(token) === true) break;
  }
  const first = tokens[0];
  const last = tokens.at(-1);
  if (first === undefined || last === undefined) throw new EngineError(62, 'SYNTAX_ERROR', 'Empty query');
  const shape = insert?.shape(last.end);
  if (shape === undefined) refuseOutfile(tokens);
  const formatAt = shape === undefined ? outputFormatAt(tokens) : -1;
  const format = tokens[formatAt + 1];
  return {
    kind: shape === undefined ? (READ_VERBS.has(first.text) ? 'read' : 'change') : 'insert',
    verb: first.text,
    tokens,
    end: last.end,
    format: formatAt < 0 || format === undefined ? undefined : sql.slice(format.start, format.end),
    ownSettings: findSettings(sql, tokens, formatAt),
    insert: shape,
  };
}

/** INSERT opens the statement, or follows the common table expressions of a WITH. */
function opensInsert(tokens: readonly Token[]): boolean {
  const last = tokens.at(-1);
  if (last?.text !== 'INSERT' || last.depth !== 0) return false;
  return tokens.length === 1 || (tokens[0]?.text === 'WITH' && tokens.at(-2)?.text === ')');
}

function refuseSecondStatement(sql: string, from: number): void {
  for (const token of parseTokens(sql, from)) {
    if (isMark(token, ';')) continue;
    const place = `failed at position ${token.start + 1}`;
    throw new EngineError(62, 'SYNTAX_ERROR', `Syntax error (Multi-statements are not allowed): ${place}`);
  }
}

function refuseOutfile(tokens: readonly Token[]): void {
  const at = tokens.findIndex((token, i) => token.text === 'OUTFILE' && tokens[i - 1]?.text === 'INTO');
  if (at >= 0) throw new EngineError(358, 'INTO_OUTFILE_NOT_ALLOWED', 'INTO OUTFILE is not allowed: read the answer');
}

/** Index of the FORMAT keyword, −1 without one. A column may be called format: the clause is last but for SETTINGS. */
function outputFormatAt(tokens: readonly Token[]): number {
  return tokens.findLastIndex((token, i) => {
    if (token.text !== 'FORMAT' || token.depth !== 0 || tokens[i + 1]?.kind !== 'word') return false;
    const next = tokens[i + 2];
    return next === undefined || next.text === 'SETTINGS';
  });
}

function findSettings(sql: string, tokens: readonly Token[], formatAt: number): OwnSettings {
  const names = new Set<string>();
  let openedAt = -1;
  for (const [i, token] of tokens.entries()) {
    if (token.depth !== 0 || token.kind !== 'word') continue;
    const isAssignment = tokens[i + 1]?.text === '=';
    if (token.text === 'SETTINGS' && tokens[i + 2]?.text === '=') openedAt = i;
    else if (token.text === 'SELECT' || token.text === 'FORMAT') openedAt = -1;
    else if (openedAt >= 0 && isAssignment) names.add(sql.slice(token.start, token.end));
  }
  return { names, isLastClause: formatAt >= 0 && openedAt > formatAt };
}

function isMark(token: Token, text: string): boolean {
  return token.kind === 'mark' && token.text === text && token.depth === 0;
}
