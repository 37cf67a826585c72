// Strict RFC 3339 instants with an offset and at most millisecond precision, parsed by hand: one call per event.
// Days are counted by arithmetic, because the Date constructors accept far more than RFC 3339 and shift years below 100.

/** The store keeps minutes in 32 unsigned bits of seconds and reads epoch seconds of ten digits: 2002 up to 2105. */
const YEAR_MIN = 2002;
const YEAR_MAX = 2105;
const DAYS_TO_1970 = 719_162;
const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const DASH = 45;
const DOT = 46;
const COLON = 58;

/**
 * Epoch milliseconds of `2026-10-03T12:34:56.789Z` or `…+02:00`; undefined for anything else, for leap seconds (no
 * instant of their own in epoch time) and for years the store can't hold.
 */
export function parseRfc3339(text: string): number | undefined {
  const length = text.length;
  if (length < 20 || length > 29) return undefined;
  const t = text.charCodeAt(10) | 32;
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH || t !== 116) return undefined;
  if (text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return undefined;

  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  const hour = digits(text, 11, 13);
  const minute = digits(text, 14, 16);
  const second = digits(text, 17, 19);
  if (!(year >= YEAR_MIN && year <= YEAR_MAX && month >= 1 && month <= 12 && day >= 1)) return undefined;
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return undefined;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const monthDays = (DAYS_IN_MONTH[month - 1] ?? 0) + (leap && month === 2 ? 1 : 0);
  if (day > monthDays) return undefined;

  const fractionEnd = text.charCodeAt(19) === DOT ? endOfDigits(text, 20) : 19;
  const fractionDigits = fractionEnd === 19 ? 0 : fractionEnd - 20;
  if (fractionEnd === 20 || fractionDigits > 3) return undefined;
  const millisecond = fractionDigits === 0 ? 0 : digits(text, 20, fractionEnd) * 10 ** (3 - fractionDigits);
  const offsetMinutes = parseOffset(text, fractionEnd);
  if (offsetMinutes === undefined) return undefined;

  const past = year - 1;
  const daysBefore = past * 365 + Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400) - DAYS_TO_1970;
  const dayOfYear = (DAYS_BEFORE_MONTH[month - 1] ?? 0) + (leap && month > 2 ? 1 : 0) + day - 1;
  const minutes = (daysBefore + dayOfYear) * 1440 + hour * 60 + minute - offsetMinutes;
  return (minutes * 60 + second) * 1000 + millisecond;
}

/** Minutes east of UTC; `Z`, `±hh:mm`. */
function parseOffset(text: string, at: number): number | undefined {
  const sign = text.charCodeAt(at);
  if ((sign | 32) === 122) return text.length === at + 1 ? 0 : undefined;
  if ((sign !== 43 && sign !== DASH) || text.length !== at + 6 || text.charCodeAt(at + 3) !== COLON) return undefined;
  const hours = digits(text, at + 1, at + 3);
  const minutes = digits(text, at + 4, at + 6);
  if (!(hours <= 23 && minutes <= 59)) return undefined;
  return (sign === DASH ? -1 : 1) * (hours * 60 + minutes);
}

/** The number written in [from, to), NaN if a character is not a digit: every comparison with NaN is false. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function endOfDigits(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57) at += 1;
  return at;
}
