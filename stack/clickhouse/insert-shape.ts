/**
 * Follows the tokens of an INSERT until its data or its query begins, so that settings can be put in and inline data cut off.
 * Pure. Expects the tokens after the INSERT keyword, in order.
 */
import { EngineError } from './errors.ts';
import { parseTokens } from './tokens.ts';
import type { Token } from './tokens.ts';

export interface InsertShape {
  /** Where a SETTINGS clause may be put, or where the statement's own one stands. */
  readonly settingsAt: number;
  /** Present when data follows inside the request: `INSERT … FORMAT X data` or `INSERT … VALUES data`. */
  readonly inline: { readonly format: string; readonly clauseAt: number; readonly dataAt: number } | undefined;
}

export class InsertReader {
  readonly #sql: string;
  #settingsAt: number | undefined;
  #inline: InsertShape['inline'];
  #formatAt: number | undefined;
  #state: 'target' | 'clauses' | 'query' = 'target';
  #previous: Token | undefined;

  constructor(sql: string) {
    this.#sql = sql;
  }

  /** True once nothing after this token is SQL. */
  read(token: Token): boolean {
    const previous = this.#previous;
    this.#previous = token;
    if (this.#state === 'query') {
      if (previous?.text === 'FROM' && token.text === 'INFILE') refuseInfile();
      return false;
    }
    if (this.#formatAt !== undefined) return this.#format(token, this.#formatAt);
    if (this.#state === 'target') {
      // The table's own name may be a keyword; it is the first word after these.
      if (!['INTO', 'TABLE', 'FUNCTION'].includes(token.text)) this.#state = 'clauses';
      return false;
    }
    return token.depth === 0 && previous?.text !== '.' && this.#clause(token);
  }

  shape(end: number): InsertShape {
    return { settingsAt: this.#settingsAt ?? end, inline: this.#inline };
  }

  #clause(token: Token): boolean {
    switch (token.text) {
      case 'SETTINGS':
        this.#settingsAt ??= token.start;
        return false;
      case 'VALUES':
        this.#settingsAt ??= token.start;
        this.#inline = { format: 'Values', clauseAt: token.start, dataAt: token.end };
        return true;
      case 'FORMAT':
        this.#settingsAt ??= token.start;
        this.#formatAt = token.start;
        return false;
      case '(':
        if (this.#opensQuery(token)) this.#query(token);
        return false;
      case 'SELECT':
      case 'WITH':
      case 'FROM':
        this.#query(token);
        return false;
      default:
        return false;
    }
  }

  #format(token: Token, clauseAt: number): boolean {
    if (token.kind !== 'word') {
      throw new EngineError(
        62,
        'SYNTAX_ERROR',
        `Syntax error: failed at position ${token.start + 1}. Expected a format's name`,
      );
    }
    const format = this.#sql.slice(token.start, token.end);
    this.#inline = { format, clauseAt, dataAt: dataStart(this.#sql, token.end) };
    return true;
  }

  #query(token: Token): void {
    this.#settingsAt ??= token.start;
    this.#state = 'query';
  }

  /** Tells `(SELECT …)` from a column list. */
  #opensQuery(bracket: Token): boolean {
    for (const next of parseTokens(this.#sql, bracket.end)) {
      if (next.text !== '(') return ['SELECT', 'WITH', 'FROM'].includes(next.text);
    }
    return false;
  }
}

/** The server drops blanks and one line end between the format's name and the data. */
function dataStart(sql: string, from: number): number {
  let at = from;
  while (at < sql.length && ' \t\f'.includes(sql.charAt(at))) at += 1;
  if (sql.charAt(at) === '\r') at += 1;
  if (sql.charAt(at) === '\n') at += 1;
  return at;
}

function refuseInfile(): never {
  throw new EngineError(
    48,
    'NOT_IMPLEMENTED',
    "FROM INFILE reads the client's files: send the data in the request's body",
  );
}
