/**
 * Puts `param_*` values into the statement as typed literals.
 *
 * The engine's own binding is serialised over the whole process and unescapes twice, so the placeholder is replaced
 * by text instead: a value can only ever become one quoted literal or one quoted name, whatever it contains.
 * Pure.
 */
import { EngineError } from './errors.ts';
import type { Token } from './tokens.ts';

const PARTS = /^\{\s*([A-Za-z_]\w*)\s*:\s*([\s\S]+?)\s*\}$/;

/** The text that stands for a placeholder such as `{id:UInt64}`. Throws EngineError 456 when no value was sent. */
export function parameterLiteral(placeholder: string, values: ReadonlyMap<string, string>): string {
  const [, name, type] = PARTS.exec(placeholder) ?? [];
  if (name === undefined || type === undefined)
    throw new EngineError(62, 'SYNTAX_ERROR', `Bad substitution ${placeholder}`);
  const value = values.get(name);
  if (value === undefined) throw new EngineError(456, 'UNKNOWN_QUERY_PARAMETER', `Substitution \`${name}\` is not set`);
  return literal(value, type);
}

/** Replaces every placeholder of `sql` between `from` and `to`. `sql` is a latin1 view, and so is the result. */
export function bindParameters(
  sql: string,
  tokens: readonly Token[],
  values: ReadonlyMap<string, string>,
  range: { from: number; to: number },
): string {
  let out = '';
  let at = range.from;
  for (const token of tokens) {
    if (token.kind !== 'placeholder' || token.start < range.from || token.end > range.to) continue;
    const text = Buffer.from(token.text, 'latin1').toString('utf8');
    out += sql.slice(at, token.start) + Buffer.from(parameterLiteral(text, values)).toString('latin1');
    at = token.end;
  }
  return out + sql.slice(at, range.to);
}

function literal(value: string, type: string): string {
  if (type === 'Identifier') return `\`${escapeQuoted(unescapeTsv(value), '`')}\``;
  if (value === '\\N') return `CAST(NULL AS ${nullableType(type)})`;
  if (type === 'String') return quote(unescapeTsv(value));
  // A Map has no cast from text, so it is built by the map function.
  if (type.startsWith('Map(')) return `CAST(${mapCall(value)} AS ${type})`;
  const text = SCALAR_TEXT.test(type) ? unescapeTsv(value) : value;
  return `CAST(${quote(text)} AS ${type})`;
}

// Types whose text form is read with tab-separated escapes, as String is.
const SCALAR_TEXT = /^(?:Nullable\(|LowCardinality\()*(?:String|FixedString|Enum|JSON)/;

function nullableType(type: string): string {
  return /^(?:Nullable|LowCardinality\(Nullable|Nothing|Variant|Dynamic)/.test(type) ? type : `Nullable(${type})`;
}

const MAP_TOKEN =
  /\s*('(?:[^'\\]|\\[\s\S]|'')*'|[-+]?\d[\w.+-]*|(?:TRUE|FALSE|NULL|[-+]?(?:nan|inf))\b|[[\](),{}:])\s*/iy;

/** `{'k':[1,2]}` becomes `map('k',[1,2])`; anything but literals and brackets is refused, as it stands outside quotes. */
function mapCall(value: string): string {
  let out = '';
  let at = 0;
  while (at < value.length) {
    MAP_TOKEN.lastIndex = at;
    const token = MAP_TOKEN.exec(value);
    if (token?.[1] === undefined) {
      throw new EngineError(457, 'BAD_QUERY_PARAMETER', `Value ${value} cannot be parsed as a Map`);
    }
    out += { '{': 'map(', '}': ')', ':': ',' }[token[1]] ?? token[1];
    at = MAP_TOKEN.lastIndex;
  }
  return out;
}

function quote(text: string): string {
  return `'${escapeQuoted(text, "'")}'`;
}

function escapeQuoted(text: string, mark: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll(mark, `\\${mark}`).replaceAll('\0', '\\0');
}

const TSV_ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', r: '\r', n: '\n', t: '\t', '0': '\0' };

/** Undoes ClickHouse's tab-separated escaping, the form in which clients send parameter values. */
export function unescapeTsv(value: string): string {
  return value.replace(/\\(x[0-9A-Fa-f]{2}|[\s\S])/g, (_, escape: string) =>
    escape.startsWith('x') && escape.length === 3
      ? String.fromCharCode(Number.parseInt(escape.slice(1), 16))
      : (TSV_ESCAPES[escape] ?? escape),
  );
}
