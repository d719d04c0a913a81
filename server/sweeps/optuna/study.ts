/** @file A study of Optuna, in a process of the user's Python. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../../protocol/userError.ts';
import type { Sweep } from '../sweepFolder.ts';
import { ASK_AND_TELL } from './askAndTell.ts';
import { pythonFrom } from './pythonPath.ts';
import type { OptunaSearch } from './searchSettings.ts';

const trialSchema = z.object({ trial: z.int().min(0), parameters: z.record(z.string(), z.unknown()) });
export type Trial = z.output<typeof trialSchema>;

const answerSchema = z.object({ missing: z.string().optional(), failed: z.string().optional() });
const openedSchema = z.object({
  version: z.string(),
  direction: z.enum(['MAXIMIZE', 'MINIMIZE']),
  running: z.array(trialSchema),
});

const WITHOUT = 'Or leave out --search: then the runs are drawn at random, without Python.';

export class Study {
  readonly #python: string;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #closed: Promise<unknown>;
  #last: Promise<unknown> = Promise.resolve();
  #errors = '';
  #failure: Error | undefined;
  #opened: z.output<typeof openedSchema> | undefined;

  /** @param folder from which relative paths are named, such as that of a storage */
  private constructor(folder: string, python: string) {
    this.#python = pythonFrom(folder, python);
    this.#child = spawn(this.#python, ['-u', '-c', ASK_AND_TELL], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    this.#child.on('error', (error) => (this.#failure = error));
    // It has then ended, and everything that it has printed is read.
    this.#closed = new Promise((resolve) => this.#child.once('close', resolve).once('error', resolve));
    this.#child.stdin?.on('error', () => undefined); // It has ended: the answer tells why.
    this.#child.stderr?.on('data', (data: Buffer) => (this.#errors = (this.#errors + data.toString()).slice(-4096)));
    const lines = createInterface({ input: this.#child.stdout ?? process.stdin });
    this.#answers = lines[Symbol.asyncIterator]();
  }

  /**
   * Opens the study of a sweep; makes it where there is none.
   * @param parallel trials at a time
   * @throws UserError where there is no such Python, it has no optuna, or the storage cannot be opened
   */
  static async open(sweep: Sweep, search: OptunaSearch, parallel: number): Promise<Study> {
    const study = new Study(dirname(sweep.experiment), search.python);
    try {
      study.#opened = await study.#request(openedSchema, {
        do: 'open',
        sweep: sweep.id,
        study: search.study ?? sweep.id,
        storage: search.storage ?? null,
        journal: join(sweep.path, 'optuna.log'),
        seed: search.seed,
        space: search.space,
        parallel,
      });
      return study;
    } catch (error) {
      study.close();
      throw error;
    }
  }

  /** Trials of the sweep that were asked for and not told of. */
  get running(): readonly Trial[] {
    return this.#opened?.running ?? [];
  }

  /** True where the study asks for small values; one that DeepTwist makes asks for great ones. */
  get minimizes(): boolean {
    return this.#opened?.direction === 'MINIMIZE';
  }

  ask(): Promise<Trial> {
    return this.#request(trialSchema, { do: 'ask' });
  }

  /** @param value undefined: the trial has failed. A trial that was told of before stays as it is. */
  async tell(trial: number, value: number | undefined): Promise<void> {
    await this.#request(answerSchema, { do: 'tell', trial, value: value ?? null });
  }

  close(): void {
    this.#child.stdin?.end();
  }

  /** One after the other. */
  #request<T>(schema: z.ZodType<T>, request: object): Promise<T> {
    const answered = this.#last.then(async () => {
      this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
      const { value, done = false } = await this.#answers.next();
      if (done) throw await this.#gone();
      const answer: unknown = JSON.parse(value);
      const { missing, failed } = answerSchema.parse(answer);
      if (missing !== undefined)
        throw new UserError(`${this.#python} has no package optuna (${missing}).`, {
          remedy: `Install it: ${this.#python} -m pip install optuna; or name another Python: --python PATH. ${WITHOUT}`,
        });
      if (failed !== undefined)
        throw new UserError(`Optuna: ${failed}`, {
          remedy: `See if the storage is there and its study has the same settings (--storage, --study). ${WITHOUT}`,
        });
      return schema.parse(answer);
    });
    this.#last = answered.catch(() => undefined);
    return answered;
  }

  async #gone(): Promise<UserError> {
    await this.#closed;
    if (this.#failure)
      return new UserError(`There is no Python at ${this.#python}: ${this.#failure.message}.`, {
        remedy: `Name one that has optuna: --python PATH. ${WITHOUT}`,
      });
    return new UserError(`The process of ${this.#python} has ended: ${this.#errors.trim().split('\n').at(-1) ?? ''}`, {
      remedy: WITHOUT,
    });
  }
}
