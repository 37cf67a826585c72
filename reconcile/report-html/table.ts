// One way to write a table: heads that repeat on every printed page, numbers to the right, a foot that stands once at
// the end. Pure.

import { html, type Html } from './escape.ts';

/** `narrow` keeps a text column at the width of its content, `minor` sets it in the quieter grey. */
export type Column = { readonly head: string; readonly kind?: 'text' | 'number' | 'narrow' | 'minor' };

export type Cell = Html | string;

export type Row = readonly Cell[];

export type Group = { readonly heading?: Html; readonly rows: readonly Row[] };

export type Table = {
  readonly label: string;
  readonly columns: readonly Column[];
  readonly groups: readonly Group[];
  /** Totals; empty cells are left blank. */
  readonly foot?: Row;
  readonly className?: string;
};

export function tableHtml({ label, columns, groups, foot, className }: Table): Html {
  const heads = columns.map(({ head, kind }) => html`<th scope="col" class="${kind ?? 'text'}">${head}</th>`);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">
    <table class="${className ?? ''}">
      <thead>
        <tr>
          ${heads}
        </tr>
      </thead>
      ${groups.map((group) => groupHtml(group, columns))}${
        foot === undefined
          ? null
          : html`<tfoot>
              ${rowHtml(foot, columns)}
            </tfoot>`
      }
    </table>
  </div> `;
}

function groupHtml({ heading, rows }: Group, columns: readonly Column[]): Html {
  const head =
    heading === undefined
      ? null
      : html`<tr class="group">
          <th scope="rowgroup" colspan="${columns.length}">${heading}</th>
        </tr> `;
  return html`<tbody>
    ${head}${rows.map((row) => rowHtml(row, columns))}
  </tbody> `;
}

function rowHtml(row: Row, columns: readonly Column[]): Html {
  const cells = columns.map(({ kind }, index) => html`<td class="${kind ?? 'text'}">${row[index] ?? ''}</td>`);
  return html`<tr>
    ${cells}
  </tr> `;
}
