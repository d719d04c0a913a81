/** @file Runs in the forms of other programs: live, as the setting `logging` says, and later by `deeptwist export-log`. */
import { dirname, join, resolve } from 'node:path';
import { parseExperiment } from '../protocol/experiment/parseExperiment.ts';
import type { LoggingConfig } from '../protocol/experiment/schema.ts';
import { shellWord } from '../protocol/shellWord.ts';
import { explainSystemError } from '../protocol/systemError.ts';
import { messageOf } from '../protocol/thrown.ts';
import { UserError } from '../protocol/userError.ts';
import type { Run } from '../runs/run.ts';
import { followRun, type EventSink, type Followed } from './followRun.ts';
import { MlflowLog } from './mlflow/mlflowLog.ts';
import { MlflowServer, ServerAwayError } from './mlflow/mlflowServer.ts';
import { mlflowDestination, type MlflowDestination } from './mlflow/mlflowDestination.ts';
import { ownTensorBoardFolder, TensorBoardLog } from './tensorBoard.ts';

/** Waits after attempts that found a server away, in milliseconds; the last one is repeated. */
const WAITS_MS = [1000, 2000, 5000, 10_000, 30_000];
/** A run that has ended waits that long for what is not written or sent yet. */
const END_MS = 20_000;

/** The programs that a run's log goes to. */
export type Destination =
  /** @param folder of the run alone */
  { readonly to: 'tensorboard'; readonly folder: string } | ({ readonly to: 'mlflow' } & MlflowDestination);

/** What became of a log. */
export interface ExportedLog extends Followed {
  /** The page of the run on a server. */
  readonly page?: string;
}

/**
 * Writes or sends what is not yet where it goes.
 * @param options.atEnd as for `followLog`
 * @throws UserError where that is not possible
 */
export async function exportLog(
  run: Run,
  destination: Destination,
  { signal, atEnd }: { signal: AbortSignal; atEnd: () => boolean | Promise<boolean> },
): Promise<ExportedLog> {
  let page: string | undefined;
  const open = async (): Promise<EventSink> => {
    if (destination.to === 'tensorboard') return TensorBoardLog.open(run, destination.folder);
    const { uri, experiment } = destination;
    const log = await MlflowLog.open(run, { server: new MlflowServer(uri, signal), experiment });
    page = log.page;
    return log;
  };
  const followed = await followRun(run, open, { signal, atEnd });
  return { ...followed, ...(page !== undefined && { page }) };
}

/** What a user names for a log that is written or sent later. */
export interface NamedDestination {
  /** Folder for TensorBoard, in which the run gets one of its own. */
  readonly folder?: string | undefined;
  readonly uri?: string | undefined;
  readonly experiment?: string | undefined;
}

/**
 * Where a run's log is written or sent later: what is not named is as the run's own `logging` says, so that nothing is there twice. Only the
 * address of a server has to be named: a run folder of somebody else shall not say who gets the user's token.
 * @throws UserError where no server is named
 */
export async function laterDestination(
  run: Run,
  to: Destination['to'],
  { folder, uri, experiment }: NamedDestination,
): Promise<Destination> {
  const { tensorBoard = true, mlflow = {} } = await loggingOf(run);
  if (to === 'mlflow') {
    const named = { uri, experiment: experiment ?? mlflow.experiment };
    return { to, ...mlflowDestination(named, run.record.name, { recorded: mlflow.uri }) };
  }
  if (folder !== undefined) return { to, folder: join(folder, run.id) };
  return { to, folder: tensorBoardFolder(tensorBoard, run) ?? ownTensorBoardFolder(run) };
}

/** The setting `logging` of a run; none where its settings are those of another version. */
async function loggingOf(run: Run): Promise<LoggingConfig> {
  const text = await run.experimentText();
  try {
    const { overrides } = run.record;
    return parseExperiment(text, { file: run.experimentFile, overrides }).logging ?? {};
  } catch (error) {
    if (error instanceof UserError) return {};
    throw error;
  }
}

/** The programs that a run with `logging` is logged to. @throws UserError where the server is not named */
export function destinationsOf({ tensorBoard, mlflow }: LoggingConfig, run: Run): Destination[] {
  const folder = tensorBoardFolder(tensorBoard, run);
  return [
    ...(folder === undefined ? [] : [{ to: 'tensorboard', folder } as const]),
    ...(mlflow ? [{ to: 'mlflow', ...mlflowDestination(mlflow, run.record.name) } as const] : []),
  ];
}

/** @param setting `logging.tensorBoard` */
function tensorBoardFolder(setting: LoggingConfig['tensorBoard'], run: Run): string | undefined {
  if (typeof setting === 'string') return join(resolve(dirname(run.record.experiment), setting), run.id);
  return setting ? ownTensorBoardFolder(run) : undefined;
}

/** What follows a run while it trains. */
export interface LiveLogs {
  /**
   * Call it when the log is closed: waits for what is not written or sent yet, but not long.
   * @returns a sentence for each destination that has not got everything
   */
  end(): Promise<string[]>;
}

/**
 * Follows a run that trains in this process. Nothing that happens there makes the run fail.
 * @param onProblem called once for each destination that cannot be written or reached, with what it means
 */
export function startLiveLogs(
  run: Run,
  destinations: readonly Destination[],
  onProblem: (message: string) => void,
): LiveLogs {
  const logs = destinations.map((destination) => new LiveLog(run, destination, onProblem));
  return {
    async end() {
      return (await Promise.all(logs.map((log) => log.end()))).flatMap((left) => left ?? []);
    },
  };
}

class LiveLog {
  readonly #run: Run;
  readonly #destination: Destination;
  readonly #onProblem: (message: string) => void;
  readonly #abort = new AbortController();
  readonly #work: Promise<void>;
  #ending = false;
  #wake: (() => void) | undefined;
  /** Why it has not got everything yet. */
  #problem: UserError | undefined;
  #hasTold = false;

  constructor(run: Run, destination: Destination, onProblem: (message: string) => void) {
    this.#run = run;
    this.#destination = destination;
    this.#onProblem = onProblem;
    this.#work = this.#follow();
  }

  async end(): Promise<string | undefined> {
    this.#ending = true;
    this.#wake?.();
    const limit = setTimeout(() => this.#abort.abort(), END_MS);
    await this.#work;
    clearTimeout(limit);
    if (this.#problem === undefined) return undefined;
    return `${this.#problem.message} What is left of the log: ${commandFor(this.#run, this.#destination)}`;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#abort;
    for (let attempt = 0; ; attempt++) {
      // A run that has ended asks once more, and not again.
      const isLast = this.#ending;
      try {
        await exportLog(this.#run, this.#destination, { signal, atEnd: () => this.#ending });
        this.#problem = signal.aborted
          ? new UserError('Not everything that was recorded was sent in time.')
          : undefined;
        return;
      } catch (error) {
        this.#problem = asUserError(error);
        if (isLast) return;
        const isAway = error instanceof ServerAwayError;
        this.#tell(isAway);
        if (!isAway) return;
        await this.#wait(WAITS_MS[Math.min(attempt, WAITS_MS.length - 1)]);
      }
    }
  }

  #tell(isAway: boolean): void {
    if (this.#hasTold || this.#ending || !this.#problem) return;
    this.#hasTold = true;
    const { message, remedy } = this.#problem;
    const meaning = isAway
      ? 'The run goes on; what it records is sent when the server answers.'
      : `The run goes on; its log can be written later: ${commandFor(this.#run, this.#destination)}`;
    this.#onProblem([message, remedy, meaning].filter((part) => part !== undefined).join(' '));
  }

  async #wait(milliseconds: number): Promise<void> {
    if (this.#ending) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function asUserError(error: unknown): UserError {
  const explained = explainSystemError(error);
  return explained instanceof UserError ? explained : new UserError(messageOf(error), { cause: error });
}

/** What a user enters to write or send the rest. */
function commandFor(run: Run, destination: Destination): string {
  const isOwn = destination.to === 'tensorboard' && destination.folder === ownTensorBoardFolder(run);
  const where =
    destination.to === 'tensorboard'
      ? ['--to', 'tensorboard', ...(isOwn ? [] : ['--out', shellWord(dirname(destination.folder))])]
      : ['--to', 'mlflow', '--uri', shellWord(destination.uri), '--experiment', shellWord(destination.experiment)];
  return ['deeptwist', 'export-log', shellWord(run.path), ...where].join(' ');
}
