/** @file A VS Code of the tests: its server, a browser, a workspace of its own with an experiment of a few seconds. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  existsSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { RunEvent } from '../../server/protocol/run/events.ts';
import { startEditor } from '../../scripts/editor/serve.js';
import { launchBrowser, openWorkbench } from '../../scripts/editor/workbench.js';
import { root } from '../../scripts/root.js';
import { until } from '../until.ts';

export const EXPERIMENT = 'lenet-300-100-prune.deeptwist.jsonc';

type Options = NonNullable<Parameters<typeof startEditor>[0]>;
type Editor = Awaited<ReturnType<typeof startEditor>>;

export class EditorSession {
  readonly workspace: string;
  readonly #options: Options;
  #browser!: Browser;
  #editor!: Editor;

  private constructor(workspace: string, options: Options) {
    this.workspace = workspace;
    this.#options = options;
  }

  static async open(options: Options = {}): Promise<EditorSession> {
    const workspace = mkdtempSync(join(tmpdir(), 'deeptwist-e2e-'));
    const examples = join(root, 'examples');
    cpSync(join(examples, 'mnist'), join(workspace, 'mnist'), {
      recursive: true,
      filter: (path) => !path.endsWith('.deeptwist'),
    });
    symlinkSync(join(examples, 'node_modules'), join(workspace, 'node_modules'), 'junction');
    const session = new EditorSession(workspace, options);
    session.setSteps(4000);
    await session.start();
    return session;
  }

  /** Starts VS Code: after {@link close}, anew. */
  async start(): Promise<void> {
    this.#editor = await startEditor(this.#options);
    this.#browser = await launchBrowser();
  }

  /** Closes VS Code with all its windows; the workspace and its runs stay. */
  async close(): Promise<void> {
    await this.#browser?.close();
    await this.#editor?.dispose();
  }

  /** Makes the LeNet-300-100 experiment as long as a test needs it. */
  setSteps(steps: number): void {
    const file = join(this.workspace, 'mnist', EXPERIMENT);
    const text = readFileSync(file, 'utf8')
      .replace(/"steps": \d+/, `"steps": ${steps}`)
      .replace(/"every": \d+/, `"every": ${steps}`)
      .replace(/"from": \d+, "to": \d+/, `"from": ${steps / 4}, "to": ${steps / 2}`);
    writeFileSync(file, text);
  }

  /** Writes the settings of the workspace, which its windows take at once. */
  setSettings(settings: Readonly<Record<string, unknown>>): void {
    const folder = join(this.workspace, '.vscode');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings, null, 2));
  }

  /** A window on the workspace, with the extension from this checkout's `dist/` unless a package of it is installed. */
  window(size?: { width: number; height: number }): Promise<Page> {
    const extension = this.#options.vsix === undefined ? root : undefined;
    return openWorkbench(this.#browser, this.#editor.url({ folder: this.workspace, extension }), size);
  }

  /** The folders of the runs of the experiments in a folder, oldest first. */
  runs(experiments = 'mnist'): string[] {
    return runsOf(join(this.workspace, experiments));
  }

  /** Stops a run, where it is being trained, and waits until its process has recorded that. */
  async stop(run: string): Promise<void> {
    const trained = () => recordOf(run).state === 'running' && recordOf(run).process;
    const trainer = trained();
    if (trainer) process.kill(trainer.pid, 'SIGTERM');
    await until(() => !trained(), 'the end of the run');
  }

  async dispose(): Promise<void> {
    await this.close();
    rmSync(this.workspace, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** The folders of the runs of the experiments in a folder, oldest first. */
export function runsOf(folder: string): string[] {
  const runs = join(folder, '.deeptwist', 'runs');
  return existsSync(runs)
    ? readdirSync(runs)
        .sort()
        .map((id) => join(runs, id))
    : [];
}

/** What `run.json` of a run folder says. */
export function recordOf(run: string): { state: string; process?: { pid: number }; result?: { test: number } } {
  return JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as ReturnType<typeof recordOf>;
}

/** The events of a run folder; none before it has begun. A last line that is being written is left out. */
export function eventsOf(run: string): RunEvent[] {
  const file = join(run, 'events.jsonl');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as RunEvent);
}
