// Whatever a server or a client library says goes through here before it is shown: no key, no password and no signing secret
// of this environment leaves it. Pure.

/** Variables whose whole value, or every comma-separated part of it, is a secret. */
const SECRET = /(_KEY|_KEYS|_SECRETS)$/;
/** A shorter part would also blot out words that only look like it. */
const SECRET_LENGTH_MIN = 6;

export type Source = Readonly<Record<string, string | undefined>>;

/** Blots out the secrets of this environment. */
export function createRedaction(source: Source): (text: string) => string {
  const secrets = Object.entries(source)
    .flatMap(([name, value]) => (name.startsWith('TRUEUP_') && value !== undefined ? secretsOf(name, value) : []))
    .sort((a, b) => b.length - a.length);
  return (text) => secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
}

function secretsOf(name: string, value: string): string[] {
  if (SECRET.test(name)) return parts(value);
  if (!URL.canParse(value)) return [];
  const { password } = new URL(value);
  return password === '' ? [] : [password, decodeURIComponent(password)];
}

function parts(value: string): string[] {
  const each = value.split(',').flatMap((part) => [part, part.slice(part.indexOf(':') + 1)]);
  return [value, ...each].filter((part) => part.length >= SECRET_LENGTH_MIN);
}

/** Where a URL leads, without the user and the password. */
export function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return pathname === '/' ? host : `${host}${pathname}`;
}
