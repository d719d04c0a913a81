/** @file What reaches nobody: errors of timers and promises in a user's modules, and promises that nothing settles. */
import { explainUncaught, giveUpWaiting } from '../modules/userCalls.ts';
import { UserError } from '../protocol/userError.ts';

/** Milliseconds in which a command that has asked to be told of an error ends in order; a run needs 5 s at most. */
const ORDERLY_END_MS = 6000;

/** Listens in this process; its errors name the module that threw them. */
export class UncaughtErrors {
  /** Is rejected with an error that a command has not ended with. */
  readonly abandoned: Promise<never>;
  #abandon: (error: Error) => void = () => undefined;
  #end: ((error: Error) => void) | undefined;

  constructor() {
    this.abandoned = new Promise((_, reject) => (this.#abandon = reject));
    this.abandoned.catch(() => undefined);
    for (const event of ['uncaughtException', 'unhandledRejection'])
      process.on(event, (thrown: unknown) => this.#take(explainUncaught(thrown)));
    process.on('beforeExit', () => {
      // The event loop is empty, though the command has not ended.
      if (!giveUpWaiting()) this.#take(new UserError('A promise is waited for that nothing is left to settle.'));
    });
  }

  /** @param end lets the command end in order with an error */
  onError(end: (error: Error) => void): void {
    this.#end = end;
  }

  #take(error: Error): void {
    if (this.#end === undefined) return this.#abandon(error);
    this.#end(error);
    setTimeout(() => this.#abandon(error), ORDERLY_END_MS);
  }
}
