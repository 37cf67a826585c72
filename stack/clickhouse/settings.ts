/**
 * Sorts the URL parameters of a request, and renders settings as the list of one SETTINGS clause.
 *
 * A setting never outlives its request: it is text in the statement, or it is set on a connection that is thrown away.
 * Pure.
 */
import { acceptedEncoding } from './encodings.ts';
import type { Encoding } from './encodings.ts';
import { EngineError } from './errors.ts';

export interface RequestOptions {
  readonly query: string;
  readonly database: string;
  readonly defaultFormat: string;
  /** What to compress the answer with, when the client asked for that and accepts it. */
  readonly answerEncoding: Encoding | undefined;
  readonly waitForEnd: boolean;
  /** Values of `{name:Type}`, as sent. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Settings for the engine, unchecked: it names the unknown ones itself. */
  readonly settings: ReadonlyMap<string, string>;
  /** Marks the running query so that it can be found and cancelled; undefined when the client sets log_comment itself. */
  readonly cancelMark: string | undefined;
}

/** Known and without effect here: there are no users, no progress headers and no server-side sessions. */
const WITHOUT_EFFECT = new Set(
  (
    'query query_id database default_format enable_http_compression wait_end_of_query http_wait_end_of_query ' +
    'user password quota_key role buffer_size http_response_buffer_size http_zlib_compression_level ' +
    'client_protocol_version stacktrace session_timeout session_check compress decompress close_session ' +
    'send_progress_in_http_headers http_headers_progress_interval_ms http_write_exception_in_output_format ' +
    'cancel_http_readonly_queries_on_client_close add_http_cors_header http_make_head_request ' +
    'http_native_compression_disable_checksumming_on_decompress'
  ).split(' '),
);

/** Throws EngineError for what can't be honoured and would be missed. */
export function parseOptions(
  url: URLSearchParams,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  cancelMark: string,
): RequestOptions {
  refuse(url.has('session_id'), 'session_id is not served: send settings with each request');
  refuse(
    isOn(url.get('compress')) || isOn(url.get('decompress')),
    'Native blocks are not served: use Content-Encoding',
  );
  const parameters = new Map<string, string>();
  const settings = new Map<string, string>();
  for (const [name, value] of url) {
    if (name.startsWith('param_')) parameters.set(name.slice('param_'.length), value);
    else if (!WITHOUT_EFFECT.has(name)) settings.set(settingName(name), value);
  }
  return {
    query: url.getAll('query').join(''),
    database: url.get('database') ?? header(headers, 'x-clickhouse-database') ?? 'default',
    defaultFormat: url.get('default_format') ?? header(headers, 'x-clickhouse-format') ?? 'TabSeparated',
    answerEncoding: isOn(url.get('enable_http_compression'))
      ? acceptedEncoding(header(headers, 'accept-encoding'))
      : undefined,
    waitForEnd: isOn(url.get('wait_end_of_query')) || isOn(url.get('http_wait_end_of_query')),
    parameters,
    settings,
    cancelMark: settings.has('log_comment') ? undefined : cancelMark,
  };
}

/** `a = '1', b = 'x'`, leaving out what the statement sets itself; empty when nothing remains. */
export function settingsList(settings: ReadonlyMap<string, string>, own: ReadonlySet<string>): string {
  return [...settings]
    .filter(([name]) => !own.has(name))
    .map(([name, value]) => `${name} = ${settingLiteral(value)}`)
    .join(', ');
}

function refuse(found: boolean, why: string): void {
  if (found) throw new EngineError(48, 'NOT_IMPLEMENTED', why);
}

function settingName(name: string): string {
  if (/^[A-Za-z_]\w*$/.test(name)) return name;
  throw new EngineError(115, 'UNKNOWN_SETTING', `Setting ${name} is neither a builtin setting nor a URL parameter`);
}

function settingLiteral(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`;
}

function header(headers: Readonly<Record<string, string | string[] | undefined>>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function isOn(value: string | null): boolean {
  return value === '1' || value === 'true';
}
