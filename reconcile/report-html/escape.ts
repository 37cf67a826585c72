// HTML with everything escaped by default: a value put into html`…` is text unless it is Html itself. Account names and
// reasons come from outside, and the page is signed, so no name may turn into markup. Pure.

export type Html = { readonly markup: string };

type Value = Html | string | number | bigint | null | readonly Html[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** C0, DEL and C1: invisible on the page, some of them errors in HTML. */
const CONTROL = /[\p{Cc}]/gu;

/** Safe as text and inside quoted attributes. Control characters show as U+FFFD, so that nothing hides. */
export function escapeHtml(text: string): string {
  return text.replace(CONTROL, '\uFFFD').replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}

export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  const markup = parts.reduce((text, part, index) => text + toMarkup(values[index - 1] ?? null) + part);
  return { markup };
}

/** For markup of our own making only: the style sheet and the drawn chart. */
export function trusted(markup: string): Html {
  return { markup };
}

function toMarkup(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number' || typeof value === 'bigint') return value.toString();
  if ('markup' in value) return value.markup;
  return value.map(({ markup }) => markup).join('');
}
