/** @file Work that waits for a free core, the most urgent first. */

interface Waiting {
  readonly rank: number;
  begin(): void;
}

export class Turns {
  #free: number;
  readonly #waiting: Waiting[] = [];

  /** @param places how much is done at once */
  constructor(places: number) {
    this.#free = places;
  }

  /**
   * Does `work` when a place is free.
   * @param rank what is done first: the lowest, and in the order of the calls among equal ones
   */
  async take<R>(rank: number, work: () => Promise<R>): Promise<R> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((begin) => this.#waiting.push({ rank, begin }));
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  #next(): void {
    const lowest = Math.min(...this.#waiting.map(({ rank }) => rank));
    const index = this.#waiting.findIndex(({ rank }) => rank === lowest);
    if (index === -1) this.#free++;
    else this.#waiting.splice(index, 1)[0].begin();
  }
}
