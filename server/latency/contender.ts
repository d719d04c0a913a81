/** @file A contender: a file that is measured in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../protocol/thrown.ts';
import { answerSchema, type Answer, type Ask, type ContenderSettings, type Ready } from './messages.ts';

/** Characters of what the process wrote that are kept. */
const LAST_WORDS = 300;

export class Contender {
  readonly ready: Ready;
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;
  readonly #signal: AbortSignal;

  private constructor(child: ChildProcess, ended: Promise<never>, ready: Ready, signal: AbortSignal) {
    this.#child = child;
    this.#ended = ended;
    this.ready = ready;
    this.#signal = signal;
  }

  /**
   * Starts the process and opens the file in it.
   * @throws Error for a file that cannot be run, and where the process ends; the signal's reason when it aborts
   */
  static async start(settings: ContenderSettings, signal: AbortSignal): Promise<Contender> {
    signal.throwIfAborted();
    const child = spawn(process.execPath, [...entry(), JSON.stringify(settings)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      windowsHide: true,
    });
    let lastWords = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (lastWords = (lastWords + text).slice(-LAST_WORDS)));
    const ended = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('close', (code, killedBy) => {
        const words = lastWords.trim() === '' ? '' : `: ${lastWords.trim()}`;
        reject(new Error(`its process ended (${code ?? killedBy})${words}`));
      });
    });
    ended.catch(() => undefined);
    try {
      const ready = await answerOf(child, ended, signal);
      if (ready.type !== 'ready') throw new Error('its process answered what it was not asked');
      return new Contender(child, ended, ready, signal);
    } catch (error) {
      await end(child);
      throw error;
    }
  }

  /** @throws as {@link start} */
  async measure(ask: Ask): Promise<Extract<Answer, { type: 'measured' }>> {
    this.#child.send(ask, () => undefined);
    const answer = await answerOf(this.#child, this.#ended, this.#signal);
    if (answer.type !== 'measured') throw new Error('its process answered what it was not asked');
    return answer;
  }

  end(): Promise<void> {
    return end(this.#child);
  }
}

async function answerOf(
  child: ChildProcess,
  ended: Promise<never>,
  signal: AbortSignal,
): Promise<Exclude<Answer, { type: 'failed' }>> {
  try {
    const [message] = await Promise.race([once(child, 'message', { signal }), ended]);
    const answer = answerSchema.parse(message);
    if (answer.type === 'failed') throw new Error(answer.message);
    return answer;
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof Error ? error : new Error(messageOf(error));
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

function entry(): string[] {
  if (!import.meta.url.endsWith('.ts')) return [fileURLToPath(new URL('./latencyContender.js', import.meta.url))];
  // From sources: Node 20 cannot run TypeScript.
  const jiti = JSON.stringify(createRequire(import.meta.url).resolve('jiti'));
  const path = JSON.stringify(fileURLToPath(new URL('./contenderProcess.ts', import.meta.url)));
  return ['-e', `require(${jiti}).createJiti(${path}).import(${path})`];
}
