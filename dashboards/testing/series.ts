// Time series for promtool, as stories: healthy for a while, then something begins.

import { toSeconds, type Duration } from '../pace.ts';

/** Scrapes before it begins and from then on, and the time between two of them. */
export type Scrapes = { readonly before: number; readonly after: number; readonly everySeconds: number };

export type Story = (scrapes: Scrapes) => string;

export const repeated = (value: number, times: number) => (times < 1 ? '' : `${value}x${times - 1}`);

/** A gauge that changes from one value to another, or stays. */
export function gauge(usual: number, then: number = usual): Story {
  return ({ before, after }) => `${repeated(usual, before)} ${repeated(then, after)}`.trim();
}

/** A gauge that leaves its value for a while and comes back to it. */
export function blip(usual: number, { value, lasts }: { readonly value: number; readonly lasts: Duration }): Story {
  return ({ before, after, everySeconds }) => {
    const away = toSeconds(lasts) / everySeconds;
    return [repeated(usual, before), repeated(value, away), repeated(usual, after - away)].join(' ').trim();
  };
}

/** A gauge of an age: nothing to wait for, then one thing that waits on and on. */
export function ageing(): Story {
  return ({ before, after, everySeconds }) => `${repeated(0, before)} 0+${everySeconds}x${after}`;
}

/** A counter that grows by so much per scrape, then by so much. */
export function counter(usual: number, then: number = usual): Story {
  return ({ before, after }) => {
    const turn = usual * (before - 1) + then;
    return `0+${usual}x${before - 1} ${turn}+${then}x${after - 1}`;
  };
}

/** A counter that does not move, but for so many scrapes by one each. */
export function counterOfFew(times: number): Story {
  return ({ before, after }) => `${repeated(0, before)} 0+1x${times} ${repeated(times, after)}`;
}

/** A series that is no longer exposed. */
export function vanishing(value: number): Story {
  return ({ before, after }) => `${repeated(value, before)} stale _x${after}`;
}

/** A series that is not exposed at all. */
export function missing(): Story {
  return ({ before, after }) => `_x${before + after}`;
}

/** A gauge that holds the time of the scrape. */
export function clock(): Story {
  return ({ before, after, everySeconds }) => `0+${everySeconds}x${before + after - 1}`;
}

/** One that stops when it begins. */
export function stoppedClock(): Story {
  return ({ before, after, everySeconds }) =>
    `0+${everySeconds}x${before - 1} ${repeated(everySeconds * (before - 1), after)}`;
}

/** One that is set that seldom. */
export function slowClock(every: Duration): Story {
  return ({ before, after, everySeconds }) => {
    const step = toSeconds(every);
    const times = Array.from(
      { length: before + after },
      (_, scrape) => Math.floor((scrape * everySeconds) / step) * step,
    );
    return times.join(' ');
  };
}

/** The start time of a process that from then on lives that long each time. */
export function restarting(life: Duration): Story {
  return ({ before, after, everySeconds }) => {
    const scrapes = toSeconds(life) / everySeconds;
    const lives = Array.from({ length: Math.ceil(after / scrapes) }, (_, one) => repeated((one + 1) * 100, scrapes));
    return [repeated(1, before), ...lives].join(' ');
  };
}
