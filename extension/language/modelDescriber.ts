/**
 * @file Describes models for the language server: `deeptwist describe` in a process of its own, one at a time, where the user lets
 * the code of this workspace run.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { workspace, type CancellationToken, type Disposable, type LogOutputChannel, type Uri } from 'vscode';
import type { DescribeModelResult } from '../../server/protocol/wire/describeModel.ts';
import { LastLines } from './lastLines.ts';

/** A model's file that is saved several times in a row is described once. */
const SETTLE_MS = 300;
/** A model that takes longer to be made is told of in the log. */
const LONGEST_MS = 120_000;

export class ModelDescriber implements Disposable {
  readonly #command: string;
  readonly #log: LogOutputChannel;
  #last: Promise<unknown> = Promise.resolve();
  #running: ChildProcess | undefined;
  #disposed = false;

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
    return { described: await turn };
  }

  dispose(): void {
    this.#disposed = true;
    this.#running?.kill('SIGKILL');
  }

  #mayRun(token: CancellationToken): boolean {
    const wanted = workspace.getConfiguration('deeptwist').get<boolean>('describeModels', true);
    return workspace.isTrusted && wanted && !token.isCancellationRequested && !this.#disposed;
  }

  #describe(file: string, token: CancellationToken): Promise<boolean> {
    const node = workspace.getConfiguration('deeptwist').get<string>('node.path') || process.execPath;
    const child = spawn(node, [this.#command, 'describe', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: dirname(file),
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
      windowsHide: true,
    });
    this.#running = child;
    const printed = new LastLines();
    child.stderr.on('data', (data: Buffer) => printed.add(String(data)));
    const end = () => child.kill('SIGKILL');
    const cancellation = token.onCancellationRequested(end);
    const timer = setTimeout(end, LONGEST_MS);
    return new Promise<boolean>((resolve) => {
      child.once('error', (error) => {
        this.#log.warn(`${file}: its model cannot be described by ${node}: ${String(error)}`);
        resolve(false);
      });
      child.once('close', (code, signal) => {
        const words = printed.take();
        if (code === 0) this.#log.info(`${file}: its model is described. ${words}`.trimEnd());
        else if (!token.isCancellationRequested && !this.#disposed)
          this.#log.warn(`${file}: its model cannot be described (${signal ?? `exit code ${code}`}): ${words}`);
        resolve(code === 0);
      });
    }).finally(() => {
      clearTimeout(timer);
      cancellation.dispose();
      this.#running = undefined;
    });
  }
}
