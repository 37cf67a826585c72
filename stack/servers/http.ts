/** Resolves when a GET is answered 200 and the body contains `words`; the body is read, so that a half-started server doesn't pass. */
export async function answersGet(url: URL, words = ''): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });
  const body = await response.text();
  if (!response.ok || !body.includes(words))
    throw new Error(`${url.pathname} was answered ${response.status} ${body.slice(0, 200)}`);
}
