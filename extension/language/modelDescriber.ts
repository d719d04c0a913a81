/**
 * @file Describes models for the language server: `deeptwist describe` in a process of its own, one at a time, where the user lets
 * the code of this workspace run.
 */
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CancellationToken, Disposable, LogOutputChannel, Uri } from 'vscode';
import { messageOf } from '../../server/protocol/thrown.ts';
import { ExitCode } from '../../server/protocol/userError.ts';
import type { DescribeModelResult, ModelProblem } from '../../server/protocol/wire/describeModel.ts';
import { parseProgressLine } from '../../server/protocol/wire/progressLine.ts';
import { nodePath } from '../cli/nodePath.ts';
import { runCommand } from '../../server/commandClient/runCommand.ts';
import { mayDescribeModels } from '../trust.ts';

/** A model's file that is saved several times in a row is described once. */
const SETTLE_MS = 300;
/** A model that takes longer to be made is told of in the log. */
const LONGEST_MS = 120_000;

export class ModelDescriber implements Disposable {
  readonly #command: string;
  readonly #log: LogOutputChannel;
  #last: Promise<unknown> = Promise.resolve();
  readonly #disposal = new AbortController();

  /** @param command the file of the command `deeptwist` */
  constructor(command: Uri, log: LogOutputChannel) {
    this.#command = command.fsPath;
    this.#log = log;
  }

  /** The model of an experiment file, after those that were asked for before. */
  async describe({ fsPath: file }: Uri, token: CancellationToken): Promise<DescribeModelResult> {
    await sleep(SETTLE_MS);
    const turn = this.#last.then(() => (this.#mayRun(token) ? this.#describe(file, token) : undefined));
    this.#last = turn.catch(() => undefined);
    return (await turn) ?? { described: undefined };
  }

  dispose(): void {
    this.#disposal.abort();
  }

  #mayRun(token: CancellationToken): boolean {
    return mayDescribeModels() && !token.isCancellationRequested && !this.#disposal.signal.aborted;
  }

  async #describe(file: string, token: CancellationToken): Promise<DescribeModelResult> {
    const problems: ModelProblem[] = [];
    const unwanted = new AbortController();
    const cancellation = token.onCancellationRequested(() => unwanted.abort());
    const given = AbortSignal.any([unwanted.signal, this.#disposal.signal]);
    try {
      const { exit, lastWords } = await runCommand({
        node: nodePath(),
        args: [this.#command, 'describe', file, '--progress', 'json'],
        directory: dirname(file),
        signal: AbortSignal.any([given, AbortSignal.timeout(LONGEST_MS)]),
        graceMs: 0,
        onLine: (text) => {
          const line = parseProgressLine(text);
          if (line && 'error' in line) problems.push(line.error);
        },
      });
      if (exit === 0) this.#log.info(`${file}: its model is described. ${lastWords}`.trimEnd());
      else if (!given.aborted)
        this.#log.warn(
          `${file}: its model cannot be described (${typeof exit === 'number' ? `exit code ${exit}` : exit}): ${lastWords}`,
        );
      // Other problems of the file are found by the checks of its settings.
      return { described: exit === 0, problem: exit === ExitCode.failed ? problems.at(-1) : undefined };
    } catch (error) {
      this.#log.warn(`${file}: its model cannot be described: ${messageOf(error)}`);
      return { described: false };
    } finally {
      cancellation.dispose();
    }
  }
}
