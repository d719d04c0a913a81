/** @file What a command of the CLI is, and what it gets to work with. */
import type { Analyzer } from './analyzer.ts';
import type { Exporter } from './exporter.ts';
import type { Measurer } from './measurer.ts';
import type { Reporter } from './reporter.ts';
import type { Searcher } from './searcher.ts';
import type { Terminal } from './terminal.ts';
import type { Trainer } from './trainer.ts';
import type { UncaughtErrors } from './uncaught.ts';

/** The world of a command: a test puts its own in. */
export interface CommandContext {
  /** Results and progress; with `--json`, run events and nothing else. */
  stdout: Terminal;
  /** Errors, and hints that must not mix with results. */
  stderr: Terminal;
  /** The folder that relative paths start from and that runs are looked for in. */
  directory: string;
  now: () => number;
  /** Sends what a user's modules print by `console` to standard error: standard output is for run events. */
  keepConsoleOffStdout: () => void;
  /** Loads the training code, with its numeric libraries, when a command trains. */
  loadTrainer: () => Promise<Trainer>;
  /** The same for what writes models as files. */
  loadExporter: () => Promise<Exporter>;
  /** The same for what measures exported files. */
  loadMeasurer: () => Promise<Measurer>;
  /** The same for what measures the sensitivity of layers. */
  loadAnalyzer: () => Promise<Analyzer>;
  /** The same for what searches for settings. */
  loadSearcher: () => Promise<Searcher>;
  /** The same for what draws reports. */
  loadReporter: () => Promise<Reporter>;
  /** The version of DeepTwist. */
  version: string;
  /** The built `sidecar.js`: what trains a run in a process of its own. */
  sidecarScript: string;
  /** What runs this command line: for jobs of a cluster. */
  commandScript: string;
  /** Asks the user, who answers yes or no; absent where there is nobody to ask. */
  confirm?: (question: string) => Promise<boolean>;
  /**
   * Ctrl-C and a polite kill, which end the process unless a command listens: the first aborts the signal, a second one ends
   * the process at once.
   * @param onFirst called at the first
   * @returns the signal, and how to stop listening
   */
  onInterrupt: (onFirst: () => void) => { signal: AbortSignal; dispose: () => void };
  /** From here on, the process does not end where standard output cannot be written. */
  goOnWithoutOutput: () => void;
  /** Errors of a user's modules that reach nobody. */
  uncaught: Pick<UncaughtErrors, 'onError' | 'abandoned'>;
}

export interface CommandOption {
  type: 'string' | 'boolean';
  multiple?: boolean;
  /** Placeholder of its value in the help, `DIR`. */
  value?: string;
  /** Its value may begin with a dash: options of another program. */
  mayBeginWithDash?: true;
  description: string;
}

export interface CommandArguments {
  positionals: string[];
  options: {
    json?: boolean;
    follow?: boolean;
    out?: string;
    set?: string[];
    format?: string;
    progress?: string;
    dense?: boolean;
    'sparse-initializers'?: boolean;
    names?: string;
    dtype?: string;
    round?: boolean;
    tolerance?: string;
    checkpoint?: boolean;
    experiment?: string;
    batch?: string;
    rounds?: string;
    threads?: string;
    tensor?: string;
    sort?: string;
    spectrum?: boolean;
    energy?: string;
    'energy-of'?: string;
    layers?: string[];
    methods?: string;
    values?: string;
    samples?: string;
    split?: string;
    'max-drop'?: string;
    'with-changed-files'?: boolean;
    seeds?: string;
    parallel?: string;
    yes?: boolean;
    'retry-failed'?: boolean;
    print?: boolean;
    task?: string;
    to?: string;
    uri?: string;
    title?: string;
    budget?: string;
    write?: boolean;
    engine?: string;
    slurm?: string;
    detach?: boolean;
    cancel?: boolean;
    image?: string;
    volume?: string[];
    search?: string;
    storage?: string;
    study?: string;
    python?: string;
    resources?: string;
    confirm?: string;
    'read-only'?: boolean;
  };
}

export interface Command {
  name: string;
  /** Placeholders of what follows the name: `FILE`, `RUN RUN…`, `[DIR]`. */
  positionals: { usage: string; minimum: number; maximum: number };
  summary: string;
  options: Record<string, CommandOption>;
  /** Goes on where nothing can be printed any more: what it does is in the run folder. */
  outlivesOutput?: true;
  /** @returns the exit code */
  run(args: CommandArguments, context: CommandContext): Promise<number>;
}

export const jsonOption: CommandOption = {
  type: 'boolean',
  description: 'Print the run events on standard output, one JSON object a line, and nothing else.',
};

export const changedFilesOption: CommandOption = {
  type: 'boolean',
  description: "Take the run's modules as they are now, though they have changed since the run was made from them.",
};
