/**
 * Turns a request's options and body into one statement: its text with parameters bound, and its data kept as bytes.
 * Pure; the data of an INSERT is never scanned as SQL.
 */
import type { Body } from './body.ts';
import { EngineError } from './errors.ts';
import { bindParameters } from './parameters.ts';
import type { RequestOptions } from './settings.ts';
import { settingsList } from './settings.ts';
import { isLineFormat } from './formats.ts';
import { parseStatement } from './statement.ts';
import type { Statement } from './statement.ts';

export interface Prepared {
  readonly statement: Statement;
  /** The whole statement with the request's parameters and settings in place, without inline data. */
  readonly sql: string;
  /** The request's settings as a list, for statements that can't take a clause. */
  readonly settings: string;
  readonly inline: InlineInsert | undefined;
}

export interface InlineInsert {
  /** `INSERT INTO t (a, b)` */
  readonly target: string;
  /** `SETTINGS …`, or empty. */
  readonly settings: string;
  readonly format: string;
  readonly data: Body;
}

const STATEMENT_LIMIT_BYTES = 16 * 1024 * 1024;
// An INSERT names its table and format in the first bytes of a body.
const OPENING_BYTES = 1024 * 1024;
const LINE_END = Buffer.from('\n');
// Makes one block, and so one part per table partition, of everything the engine is given at once.
const ONE_BLOCK: readonly (readonly [string, string])[] = [
  ['min_insert_block_size_rows', '1000000000'],
  ['min_insert_block_size_bytes', '100000000000'],
];

/** Throws EngineError for what can't be one statement. */
export function prepare(options: RequestOptions, body: Body): Prepared {
  const fromUrl = Buffer.from(options.query);
  const direct = prepareInline(options, fromUrl, body);
  if (direct !== undefined) return direct;
  const text = fromUrl.length === 0 ? body.head : Buffer.concat([fromUrl, LINE_END, body.head]);
  const inBody = prepareInline(options, text, { head: Buffer.alloc(0), rest: body.rest });
  if (inBody !== undefined) return inBody;
  if (body.rest !== undefined || text.length > STATEMENT_LIMIT_BYTES) {
    throw new EngineError(
      229,
      'QUERY_IS_TOO_LARGE',
      `A statement without data may have ${STATEMENT_LIMIT_BYTES} bytes`,
    );
  }
  const sql = text.toString('latin1');
  const statement = parseStatement(sql);
  const marked = new Map(options.settings);
  if (statement.kind === 'read' && options.cancelMark !== undefined) marked.set('log_comment', options.cancelMark);
  const settings = listFor(statement, marked);
  return { statement, sql: wholeText(sql, statement, options, settings), settings, inline: undefined };
}

/** An INSERT whose data begins in `opening` and goes on in `more`; undefined for anything else. */
function prepareInline(options: RequestOptions, opening: Buffer, more: Body): Prepared | undefined {
  const sql = opening.subarray(0, OPENING_BYTES).toString('latin1');
  if (!/insert/i.test(sql)) return undefined;
  const statement = parseStatement(sql);
  const { inline, settingsAt } = statement.insert ?? {};
  if (inline === undefined || settingsAt === undefined) return undefined;
  const bound = textOf(sql, statement, options);
  const isBounded = more.rest === undefined || isLineFormat(inline.format);
  const settings = listFor(statement, [...(isBounded ? ONE_BLOCK : []), ...options.settings]);
  const begun = opening.subarray(inline.dataAt);
  return {
    statement,
    sql: bound(0, statement.end),
    settings,
    inline: {
      target: bound(0, settingsAt),
      settings: settingsBefore(bound(settingsAt, inline.clauseAt), settings),
      format: inline.format,
      data: { head: joinData(begun, more.head), rest: more.rest },
    },
  };
}

/** Between URL and body stands a line end, which is the one the server drops after the format's name. */
function joinData(begun: Buffer, more: Buffer): Buffer {
  if (begun.length === 0) return more;
  return more.length === 0 ? begun : Buffer.concat([begun, LINE_END, more]);
}

function listFor(statement: Statement, settings: Iterable<readonly [string, string]>): string {
  return settingsList(new Map(settings), statement.ownSettings.names);
}

function wholeText(sql: string, statement: Statement, options: RequestOptions, settings: string): string {
  const bound = textOf(sql, statement, options);
  if (statement.insert !== undefined) {
    const at = statement.insert.settingsAt;
    return bound(0, at) + settingsBefore(bound(at, statement.end), settings);
  }
  const text = bound(0, statement.end);
  if (settings === '' || statement.kind === 'change') return text;
  return statement.ownSettings.isLastClause ? `${text}, ${settings}` : `${text}\nSETTINGS ${settings}`;
}

function settingsBefore(text: string, settings: string): string {
  if (settings === '') return text;
  return /^settings\s/i.test(text)
    ? `SETTINGS ${settings}, ${text.slice('settings'.length)}`
    : `SETTINGS ${settings} ${text}`;
}

/** Cuts parts of the statement out of the latin1 view, with parameters bound, as real text. */
function textOf(sql: string, statement: Statement, options: RequestOptions): (from: number, to: number) => string {
  return (from, to) => {
    const view = bindParameters(sql, statement.tokens, options.parameters, { from, to });
    return Buffer.from(view, 'latin1').toString('utf8');
  };
}
