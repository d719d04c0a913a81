/** @file What a run's time is spent on. */

/** Adds up seconds by activity; one activity runs at any time, or none. */
export class Stopwatch<Activity extends string> {
  readonly #seconds: Record<Activity, number>;
  #current: Activity | undefined;
  #since = performance.now();

  /** @param seconds what has been added up before */
  constructor(seconds: Readonly<Record<Activity, number>>, current: Activity) {
    this.#seconds = { ...seconds };
    this.#current = current;
  }

  /** Counts the time of `work` for another activity, not for the one around it. */
  during<R>(activity: Activity, work: () => Promise<R>): Promise<R> {
    return this.#as(activity, work);
  }

  /** Leaves the time of `work` out. */
  uncounted<R>(work: () => Promise<R>): Promise<R> {
    return this.#as(undefined, work);
  }

  async #as<R>(activity: Activity | undefined, work: () => Promise<R>): Promise<R> {
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

  #switch(next: Activity | undefined): void {
    const now = performance.now();
    if (this.#current !== undefined) this.#seconds[this.#current] += (now - this.#since) / 1000;
    this.#since = now;
    this.#current = next;
  }
}
