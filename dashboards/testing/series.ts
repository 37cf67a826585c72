// Time series for promtool, as stories: healthy for a while, then something begins. Values are those of one scrape each.

/** Scrapes before it begins and from then on. */
export type Scrapes = { readonly before: number; readonly after: number };

export type Story = (scrapes: Scrapes) => string;

const repeated = (value: number, times: number) => (times < 1 ? '' : `${value}x${times - 1}`);

/** A gauge that changes from one value to another, or stays. */
export function gauge(before: number, after: number = before): Story {
  return (scrapes) => `${repeated(before, scrapes.before)} ${repeated(after, scrapes.after)}`.trim();
}

/** A gauge that leaves its value for some scrapes and comes back to it. */
export function blip(usual: number, for_: { readonly value: number; readonly scrapes: number }): Story {
  return ({ before, after }) =>
    [repeated(usual, before), repeated(for_.value, for_.scrapes), repeated(usual, after - for_.scrapes)]
      .join(' ')
      .trim();
}

/** A counter that grows by so much per scrape, then by so much. */
export function counter(before: number, after: number = before): Story {
  return (scrapes) => {
    const [first, second] = [Math.max(1, scrapes.before), Math.max(1, scrapes.after)];
    const turn = before * (first - 1) + after;
    return `0+${before}x${first - 1} ${turn}+${after}x${second - 1}`;
  };
}

/** A series that is no longer exposed. */
export function vanishing(value: number): Story {
  return ({ before, after }) => `${repeated(value, before)} stale _x${Math.max(1, after - 1)}`;
}

/** A series that is not there before it begins. */
export function appearing(story: Story): Story {
  return ({ before, after }) => `_x${Math.max(1, before)} ${story({ before: 0, after })}`;
}

/** A gauge that holds the time of the scrape, until it stops. */
export function clock(stepSeconds: number, stops = false): Story {
  return ({ before, after }) =>
    stops
      ? `0+${stepSeconds}x${before - 1} ${repeated(stepSeconds * (before - 1), after)}`
      : `0+${stepSeconds}x${before + after - 1}`;
}
