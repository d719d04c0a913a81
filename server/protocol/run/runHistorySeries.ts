/**
 * @file Recorded arrays of every weight over a run, thinned where they become too many: then every 2nd, 4th, 8th…
 * recording stays, and of each weight the last.
 */

/** What was recorded of a weight at one moment. */
export interface Recording {
  readonly step: number;
  /** The how-manieth recording of the run this is, from 0. */
  readonly index: number;
}

/** Recordings by the weight's name, in the order of steps. */
export interface Series<Item extends Recording> {
  readonly items: Readonly<Record<string, readonly Item[]>>;
  /** Moments that were recorded, thinned out or not. */
  readonly recorded: number;
  /** Every `stride`-th recording is in `items`, and the last. */
  readonly stride: number;
}

export class ThinnedSeries<Item extends Recording> {
  readonly #sizeOf: (item: Item) => number;
  readonly #budget: number;
  readonly #items = new Map<string, Item[]>();
  #recorded: number;
  #stride: number;
  #size = 0;
  #view: Series<Item> | undefined;

  /** @param budget bound on the sum of `sizeOf` over all recordings, unless the first and the last alone exceed it */
  constructor(budget: number, sizeOf: (item: Item) => number, start?: Series<Item>) {
    this.#budget = budget;
    this.#sizeOf = sizeOf;
    this.#recorded = start?.recorded ?? 0;
    this.#stride = start?.stride ?? 1;
    for (const [name, items] of Object.entries(start?.items ?? {})) {
      this.#items.set(name, [...items]);
      for (const item of items) this.#size += sizeOf(item);
    }
  }

  /** Adds what was recorded of some weights at one moment. */
  add(recordings: Iterable<readonly [name: string, item: Omit<Item, 'index'>]>): void {
    this.#view = undefined;
    const index = this.#recorded++;
    for (const [name, recording] of recordings) {
      const item = { ...recording, index } as Item;
      const items = this.#items.get(name) ?? [];
      this.#items.set(name, items);
      const last = items.at(-1);
      // The last one was there because it was the last.
      if (last !== undefined && last.index % this.#stride !== 0) {
        items.pop();
        this.#size -= this.#sizeOf(last);
      }
      items.push(item);
      this.#size += this.#sizeOf(item);
    }
    while (this.#size > this.#budget && this.#stride < this.#recorded) this.#thin();
  }

  /** Drops what was recorded after a step. */
  truncate(step: number): void {
    this.#view = undefined;
    let dropped = 0;
    for (const [name, items] of this.#items) {
      while ((items.at(-1)?.step ?? -Infinity) > step) {
        const item = items.pop() as Item;
        this.#size -= this.#sizeOf(item);
        dropped = Math.max(dropped, this.#recorded - item.index);
      }
      if (items.length === 0) this.#items.delete(name);
    }
    // Thinned-out moments between the last one kept and the first one dropped are counted still: only spacing depends on it.
    this.#recorded -= dropped;
  }

  /** All that is kept; the same object until something changes. */
  view(): Series<Item> {
    this.#view ??= {
      items: Object.fromEntries([...this.#items].map(([name, items]) => [name, [...items]])),
      recorded: this.#recorded,
      stride: this.#stride,
    };
    return this.#view;
  }

  #thin(): void {
    this.#stride *= 2;
    for (const [name, items] of this.#items) {
      const kept = items.filter((item, at) => item.index % this.#stride === 0 || at === items.length - 1);
      for (const item of items) this.#size -= this.#sizeOf(item);
      for (const item of kept) this.#size += this.#sizeOf(item);
      this.#items.set(name, kept);
    }
  }
}
