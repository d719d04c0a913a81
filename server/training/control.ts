/** @file What a run is asked for while it trains: pause, continue, observe, checkpoint, change settings. */
import { UserError } from '../protocol/userError.ts';

/** A checkpoint that was made. */
export interface SavedCheckpoint {
  readonly step: number;
  /** Relative to the run folder. */
  readonly path: string;
}

/** What the training loop can do between two steps. */
export interface BetweenSteps {
  observe(): Promise<void>;
  checkpoint(): Promise<SavedCheckpoint>;
  /** @returns the step after which the `path=value` texts take effect. @throws UserError where they cannot */
  change(values: readonly string[]): Promise<number>;
  /** Waits without counting the time. */
  rest(until: Promise<void>): Promise<void>;
}

/** A run that shall fail does so between two steps; a step that does not end within this time is not waited for. */
export const HARD_END_MS = 5000;

type Work = (loop: BetweenSteps) => Promise<void>;

/**
 * Takes requests at any time; the loop serves them between two steps. Only {@link change} changes
 * anything of what is trained. A run that is asked for nothing pays for one comparison a step.
 */
export class TrainingControl {
  readonly #onChange: () => void;
  #work: Work[] = [];
  /** For each request without an answer yet, what tells its asker of an error. */
  readonly #waiting = new Set<(error: Error) => void>();
  #pausing = false;
  #paused = false;
  #pauseRequests: (() => void)[] = [];
  #failure: Error | undefined;
  /** Is rejected with what the run shall fail with, when its step did not end in time. */
  readonly abandoned: Promise<never>;
  #abandon: (error: Error) => void = () => undefined;
  #ended = false;
  #wake: () => void = () => undefined;

  /** @param onChange called when the run has paused, and when it goes on */
  constructor(onChange: () => void = () => undefined) {
    this.#onChange = onChange;
    this.abandoned = new Promise((_, reject) => (this.#abandon = reject));
    this.abandoned.catch(() => undefined); // Also where no run waits for it.
  }

  /** True where the loop has to {@link serve} before its next step. */
  get pending(): boolean {
    return this.#pausing || this.#work.length > 0 || this.#failure !== undefined;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** @returns when the run has paused, before its next step. @throws UserError when it ends before */
  pause(): Promise<void> {
    this.#pausing = true;
    if (this.#paused) return Promise.resolve();
    return this.#answered((resolve) => this.#pauseRequests.push(resolve));
  }

  continue(): void {
    this.#pausing = false;
    for (const resolve of this.#pauseRequests.splice(0)) resolve();
    this.#wake();
  }

  /** @returns when the observation has been recorded. @throws UserError when the run ends before, or it fails */
  observe(): Promise<void> {
    return this.#between((loop) => loop.observe());
  }

  /** @throws UserError when the run ends before */
  checkpoint(): Promise<SavedCheckpoint> {
    return this.#between((loop) => loop.checkpoint());
  }

  /**
   * @param values `path=value` texts
   * @returns the step after which they take effect
   * @throws UserError when they cannot, and nothing has changed; when the run ends before
   */
  change(values: readonly string[]): Promise<number> {
    return this.#answered((resolve, reject) => {
      this.#work.push((loop) => loop.change(values).then(resolve, reject));
      this.#wake();
    });
  }

  /** Lets the run fail between two steps, for what went wrong outside of the loop; see {@link abandoned}. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
    setTimeout(() => this.#abandon(error), HARD_END_MS);
  }

  /**
   * Does what was asked for, and rests while the run is paused.
   * @param signal ends a pause
   * @throws what the run shall fail with
   */
  async serve(loop: BetweenSteps, signal: AbortSignal): Promise<void> {
    const wake = () => this.#wake();
    signal.addEventListener('abort', wake);
    try {
      while (this.pending) {
        if (this.#failure) throw this.#failure;
        for (const work of this.#work.splice(0)) await work(loop);
        if (signal.aborted) return;
        if (this.#pausing && !this.pendingWork) await this.#rest(loop);
      }
    } finally {
      signal.removeEventListener('abort', wake);
      if (this.#paused) this.#setPaused(false);
    }
  }

  /** The loop serves no more: who still waits is told so. */
  end(): void {
    this.#ended = true;
    this.#work = [];
    for (const reject of this.#waiting) reject(ended());
  }

  private get pendingWork(): boolean {
    return this.#work.length > 0 || this.#failure !== undefined;
  }

  async #rest(loop: BetweenSteps): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (!this.#paused) this.#setPaused(true);
    for (const resolve of this.#pauseRequests.splice(0)) resolve();
    await loop.rest(woken);
  }

  #setPaused(paused: boolean): void {
    this.#paused = paused;
    this.#onChange();
  }

  #between<R>(request: (loop: BetweenSteps) => Promise<R>): Promise<R> {
    return this.#answered((resolve, reject) => {
      this.#work.push((loop) => request(loop).then(resolve, fatal(reject)));
      this.#wake();
    });
  }

  #answered<R>(ask: (resolve: (value: R) => void, reject: (error: Error) => void) => void): Promise<R> {
    if (this.#ended) return Promise.reject(ended());
    return new Promise<R>((resolve, reject) => {
      this.#waiting.add(reject);
      const done = () => this.#waiting.delete(reject);
      ask(
        (value) => (done(), resolve(value)),
        (error) => (done(), reject(error)),
      );
    });
  }
}

/** What goes wrong between two steps, a full disk or weights that are not finite, ends the run as it would at any other time. */
function fatal(reject: (error: Error) => void): (error: Error) => never {
  return (error) => {
    reject(error);
    throw error;
  };
}

function ended(): UserError {
  return new UserError('The run has ended before it could do that.');
}
