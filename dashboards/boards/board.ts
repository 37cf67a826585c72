// How a board is put together: fixed uid, variables, links to the other boards, rows of panels laid out left to right.
// Not editable in Grafana: the code is the truth, and what somebody changed there would be lost with the next start.

import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  RowBuilder,
  type Dashboard,
  type Panel,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard';

export type BoardSpec = {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** As Grafana writes a range: `now-6h`. */
  readonly from: string;
  readonly variables: readonly Builder<VariableModel>[];
  readonly rows: readonly { readonly title: string; readonly panels: readonly Builder<Panel>[] }[];
};

const TAG = 'trueup';

export type Board = Dashboard & { uid: string };

export function createBoard({ uid, title, description, from, variables, rows }: BoardSpec): Board {
  const others = new DashboardLinkBuilder('Trueup').type(DashboardLinkType.Dashboards).tags([TAG]).keepTime(true);
  const board = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .timezone('utc')
    .time({ from, to: 'now' })
    .refresh('1m')
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .link(others)
    .variables([...variables]);
  for (const row of rows) {
    board.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) board.withPanel(panel);
  }
  const built = board.build();
  built.panels?.forEach((panel, index) => (panel.id = index + 1));
  return { ...built, uid };
}
