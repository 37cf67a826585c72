// An answer as JSON: whole numbers of any size as text, because money and quantities are exact.

export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => {
    if (typeof one === 'bigint') return one.toString();
    return one instanceof Map ? Object.fromEntries(one) : one;
  });
}
