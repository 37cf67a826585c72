// Grafana's variables, as Grafana writes them into a query: `$name`, `${name}`, `${name:format}`. Pure.
// A name that nobody defined throws, where Grafana would send it on as text.

export type Variable = {
  /** Chosen values; all of them when everything is chosen. */
  readonly values: readonly string[];
  /** Whether the variable may hold several values, which decides how it is written by default. */
  readonly multi: boolean;
  /** Everything is chosen. */
  readonly all: boolean;
};

export type Variables = ReadonlyMap<string, Variable>;

/** How values are written where no format is asked for: each kind of data source has its own way. */
export type DefaultFormat = (variable: Variable) => string;

const REFERENCE = /\$\{(\w+)(?::(\w+))?\}|\$(\w+)/g;

const FORMATS: Readonly<Record<string, (values: readonly string[]) => string>> = {
  raw: (values) => values.join(','),
  csv: (values) => values.join(','),
  pipe: (values) => values.join('|'),
  singlequote: (values) => values.map((value) => `'${value.replace(/[\\']/g, '\\$&')}'`).join(','),
  regex: (values) => toRegex(values.map(escapeRegex)),
  queryparam: (values) => values.map(encodeURIComponent).join(','),
};

export function interpolate(text: string, variables: Variables, defaultFormat: DefaultFormat): string {
  return text.replace(REFERENCE, (reference, braced: string | undefined, format: string | undefined, bare) => {
    const name = braced ?? (bare as string);
    const variable = variables.get(name);
    if (variable === undefined) throw new Error(`${reference} is no variable here`);
    if (format === undefined) return defaultFormat(variable);
    const write = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
    if (write === undefined) throw new Error(`${reference} asks for a format that is not known here`);
    return write(variable.values);
  });
}

/** Prometheus: several values are an alternation for =~, escaped twice because they stand in a string. */
export const prometheusFormat: DefaultFormat = ({ values, multi }) =>
  multi
    ? toRegex(values.map((value) => escapeRegex(value).replace(/\\/g, '\\\\')))
    : values.map((value) => value.replace(/[\\"]/g, '\\$&')).join('');

/** ClickHouse: one value as it is, several quoted. Neither is escaped, which is why our queries always say singlequote. */
export const clickhouseFormat: DefaultFormat = ({ values, multi }) =>
  multi ? values.map((value) => `'${value}'`).join(',') : values.join('');

/** Titles and links. */
export const textFormat: DefaultFormat = ({ values, all }) => (all ? 'all' : values.join(' + '));

/** The names that a text refers to, each once. */
export function namesIn(text: string): string[] {
  return [...new Set([...text.matchAll(REFERENCE)].map((match) => match[1] ?? match[3] ?? ''))];
}

function toRegex(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? '') : `(${values.join('|')})`;
}

function escapeRegex(value: string): string {
  return value.replace(/[\\^$*+?.()|[\]{}/-]/g, (character) =>
    '/-'.includes(character) ? character : `\\${character}`,
  );
}
