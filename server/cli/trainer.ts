/** @file What the CLI asks of `server/training/`, which exports these functions. */
import type { EventOf, RunEvent } from '../protocol/events.ts';
import type { Run } from '../runs/run.ts';

export interface TrainingOutcome {
  run: Run;
  state: 'finished' | 'failed' | 'stopped';
}

interface Training {
  /** Receives each event when it has been recorded. */
  onEvent: (event: RunEvent) => void;
  /** When it aborts, the run stops after the current step, with a checkpoint and a `stopped` event. */
  signal: AbortSignal;
}

export interface Trainer {
  /**
   * Trains the experiment in `file` in a new run folder.
   * @param options.out folder in which the run folder is made; default: `.deeptwist/runs/` beside the file
   * @returns how the run ended; a failure that could be recorded is a `failed` event and not an exception
   * @throws UserError for what keeps the run from beginning
   */
  runExperiment(
    options: { file: string; overrides: readonly string[]; out?: string } & Training,
  ): Promise<TrainingOutcome>;
  /** Goes on from the newest checkpoint that is whole. Else as {@link runExperiment}. */
  resumeRun(options: { run: Run } & Training): Promise<TrainingOutcome>;
  /** Evaluates the final model as it is stored in the run folder, on the test set. Records nothing. */
  evaluateRun(options: { run: Run; signal: AbortSignal }): Promise<EventOf<'evaluation'>>;
}
