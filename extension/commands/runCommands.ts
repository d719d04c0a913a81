/** @file Commands that start runs. */
import { dirname, relative } from 'node:path';
import { ProgressLocation, commands, l10n, window } from 'vscode';
import type { RunKey } from '../../server/protocol/wire/dashboard.ts';
import { lastValues, valuesAfter } from '../../server/runs/changedValues.ts';
import { listCheckpoints } from '../../server/runs/checkpoints.ts';
import { parallelRuns } from '../cli/parallelRuns.ts';
import type { Services } from '../services.ts';
import { isExperimentFile } from '../runs/experimentFiles.ts';
import { runTitle } from '../runs/runTitles.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import type { RunRequest } from '../runs/launcher.ts';
import { showInformation } from '../messages.ts';
import { chooseExperiment, chooseRuns } from './commandTargets.ts';
import { askForValues } from './askForValues.ts';
import type { ExperimentProblems } from './experimentProblems.ts';

/** How runs are shown. */
interface ShownRuns {
  /** Shows a run in the tree. */
  reveal(stored: StoredRun): unknown;
  /** Runs that the dashboard shows. */
  watched(): readonly RunKey[];
}

export class RunCommands {
  readonly #services: Services;
  readonly #problems: ExperimentProblems;

  readonly #shown: ShownRuns;

  constructor(services: Services, problems: ExperimentProblems, shown: ShownRuns) {
    this.#services = services;
    this.#problems = problems;
    this.#shown = shown;
  }

  /** Runs an experiment as its file is now. */
  async runExperiment(argument: unknown): Promise<StoredRun | undefined> {
    const experiment = await chooseExperiment(this.#services, argument);
    return experiment && this.#start({ file: experiment.file });
  }

  async runWithChangedValues(argument: unknown): Promise<StoredRun | undefined> {
    const experiment = await chooseExperiment(this.#services, argument);
    if (!experiment) return undefined;
    const text = await this.#problems.check(experiment.file);
    if (text === undefined) return undefined;
    const overrides = await askForValues({
      text,
      overrides: [],
      title: l10n.t('Run with Changed Values'),
      state: this.#services.context.workspaceState,
    });
    return overrides && this.#start({ file: experiment.file, overrides });
  }

  /** As the run was: its own text and changed values, not what the file says now. */
  async rerun(argument: unknown): Promise<StoredRun | undefined> {
    const [stored] = await chooseRuns(this.#services, argument, undefined);
    return stored && this.#start(await requestOf(stored));
  }

  /** As the run was, but for values that are asked for. */
  async rerunWith(argument: unknown): Promise<StoredRun | undefined> {
    const open = window.activeTextEditor?.document.uri;
    const meant = argument ?? (isExperimentFile(open) ? open : undefined);
    const [stored] = await chooseRuns(this.#services, meant, undefined);
    if (!stored) return undefined;
    const request = await settledRequestOf(stored);
    const values = await askForValues({
      ...request,
      title: l10n.t('Rerun {0} With', await runTitle(this.#services.store, stored)),
      state: this.#services.context.workspaceState,
    });
    return values && this.#start({ ...request, overrides: lastValues([...request.overrides, ...values]) });
  }

  /** A new run with the weights of a checkpoint; step, schedule and optimizer begin anew. */
  async rerunFromCheckpoint(argument: unknown): Promise<StoredRun | undefined> {
    const [stored] = await chooseRuns(this.#services, argument, undefined);
    if (!stored) return undefined;
    const checkpoints = await listCheckpoints(stored.run);
    if (checkpoints.length === 0) {
      void showInformation(l10n.t('The run {0} has no checkpoint.', stored.run.id));
      return undefined;
    }
    const picked = await window.showQuickPick(
      checkpoints.map(({ step, file }) => ({ label: l10n.t('After step {0}', step), file })),
      { placeHolder: l10n.t('A new run starts from the weights of this checkpoint') },
    );
    if (!picked) return undefined;
    const request = await settledRequestOf(stored);
    const start = relative(dirname(request.file), picked.file).replaceAll('\\', '/');
    const others = request.overrides.filter((override) => !override.startsWith('start='));
    return this.#start({ ...request, overrides: [...others, `start=${start}`] });
  }

  async resume(argument: unknown): Promise<StoredRun | undefined> {
    const [stored] = await chooseRuns(this.#services, argument, undefined, {
      where: ({ canResume }) => canResume,
      state: 'stopped',
    });
    if (!stored) return undefined;
    return this.#showing(this.#services.launcher.resume(stored));
  }

  async #start(request: RunRequest): Promise<StoredRun | undefined> {
    if (request.text === undefined) {
      const text = await this.#problems.check(request.file, { overrides: request.overrides });
      if (text === undefined) return undefined;
    }
    return this.#showing(this.#services.launcher.start(request));
  }

  async #showing(starting: Promise<StoredRun>): Promise<StoredRun> {
    const stored = await window.withProgress(
      { location: ProgressLocation.Window, title: l10n.t('DeepTwist: starting the run') },
      () => starting,
    );
    if (this.#mustWait(stored))
      window.setStatusBarMessage(l10n.t('{0} waits in the queue.', stored.summary.name), 5000);
    else await commands.executeCommand('deeptwist.openDashboard', stored.key);
    await this.#shown.reveal(stored);
    return stored;
  }

  /** True for a run that starts when one has ended that the user watches: it does not take the dashboard from that. */
  #mustWait(stored: StoredRun): boolean {
    const { store } = this.#services;
    const training = store.active.filter((run) => run !== stored && run.state === 'running');
    return training.length >= parallelRuns() && training.some(({ key }) => this.#shown.watched().includes(key));
  }
}

/** The same run again, with what was changed while it trained at the same steps. */
async function requestOf({ run }: StoredRun): Promise<RunRequest> {
  const { experiment, overrides, changes } = run.record;
  return { file: experiment, overrides, changes, text: await run.experimentText() };
}

/** A run that has from its first step on what the other one had in the end. */
async function settledRequestOf({ run }: StoredRun): Promise<{ file: string; text: string; overrides: string[] }> {
  const text = await run.experimentText();
  return { file: run.record.experiment, text, overrides: valuesAfter(run.record, Infinity) };
}
