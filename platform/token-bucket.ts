// Token bucket, pure: tokens come in at a rate up to a burst, and a request takes its cost or nothing.

export type BucketPolicy = { readonly perSecond: number; readonly burst: number };
export type Bucket = { readonly tokens: number; readonly atMs: number };
export type Taken = {
  readonly allowed: boolean;
  readonly remaining: number;
  /** 0 if allowed. */ readonly retryAfterMs: number;
};

/** A bucket nobody took from yet (`undefined`) is full. A clock that steps back adds nothing. */
export function takeTokens(
  bucket: Bucket | undefined,
  cost: number,
  { perSecond, burst }: BucketPolicy,
  nowMs: number,
): Taken & { readonly bucket: Bucket } {
  const { tokens: before, atMs } = bucket ?? { tokens: burst, atMs: nowMs };
  const filled = Math.min(burst, before + (Math.max(0, nowMs - atMs) * perSecond) / 1000);
  const allowed = filled >= cost;
  const tokens = allowed ? filled - cost : filled;
  const retryAfterMs = allowed ? 0 : Math.ceil(((cost - tokens) * 1000) / perSecond);
  return { allowed, remaining: Math.floor(tokens), retryAfterMs, bucket: { tokens, atMs: nowMs } };
}
