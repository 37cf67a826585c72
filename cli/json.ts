// An answer as JSON: whole numbers of any size as text, because money and quantities are exact.

export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? one.toString() : one));
}
