/** @file Where a run's time goes. */

/** Adds up seconds by activity; one activity runs at any time. */
export class Stopwatch<Activity extends string> {
  readonly #seconds: Record<Activity, number>;
  #current: Activity;
  #since = performance.now();

  /** @param seconds what has been added up before */
  constructor(seconds: Readonly<Record<Activity, number>>, current: Activity) {
    this.#seconds = { ...seconds };
    this.#current = current;
  }

  /** Counts the time of `work` for another activity, not for the one around it. */
  async during<R>(activity: Activity, work: () => Promise<R>): Promise<R> {
    const outer = this.#current;
    this.#switch(activity);
    try {
      return await work();
    } finally {
      this.#switch(outer);
    }
  }

  get seconds(): Record<Activity, number> {
    this.#switch(this.#current);
    return { ...this.#seconds };
  }

  #switch(next: Activity): void {
    const now = performance.now();
    this.#seconds[this.#current] += (now - this.#since) / 1000;
    this.#since = now;
    this.#current = next;
  }
}
