/** Reads a multipart/form-data request: its `query` and its `param_*` fields. Pure. */
import { EngineError } from './errors.ts';

export interface MultipartFields {
  readonly query: string;
  readonly parameters: ReadonlyMap<string, string>;
}

export function isMultipart(contentType: string | undefined): contentType is string {
  return contentType !== undefined && /^multipart\/form-data\b/i.test(contentType);
}

/** Throws EngineError 48 for attached tables, which have no place here. */
export async function parseMultipart(body: Buffer, contentType: string): Promise<MultipartFields> {
  const form = await new Response(new Uint8Array(body), { headers: { 'Content-Type': contentType } }).formData();
  let query = '';
  const parameters = new Map<string, string>();
  for (const [name, value] of form) {
    if (typeof value !== 'string') {
      throw new EngineError(48, 'NOT_IMPLEMENTED', `External data ${name} is not served: insert it into a table first`);
    }
    if (name === 'query') query += value;
    else if (name.startsWith('param_')) parameters.set(name.slice('param_'.length), value);
  }
  return { query, parameters };
}
