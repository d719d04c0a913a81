/**
 * @file What the language status of an experiment file shows (the braces beside the name of the language in the status bar): whether the
 * language server runs, whether the model of the file is described, and what its last run came to.
 */
import {
  LanguageStatusSeverity,
  l10n,
  languages,
  window,
  workspace,
  type LanguageStatusItem,
  type TextDocument,
  type Uri,
} from 'vscode';
import { EXPERIMENT_LANGUAGE } from '../../server/protocol/wire/language.ts';
import { stackOf } from '../../server/protocol/thrown.ts';
import { Disposable } from '../dispose.ts';
import { runPhase, stateName } from '../runs/runPhase.ts';
import { MANAGE_TRUST } from '../messages.ts';
import { experimentFileOf, isOpenExperiment } from '../runs/experimentFiles.ts';
import { onPhaseChange } from '../runs/phaseChanges.ts';
import { outcomeText } from '../runs/runResultText.ts';
import type { Services } from '../services.ts';
import { mayDescribeModels } from '../trust.ts';

/** How the language server stands. */
type ServerState = 'starting' | 'running' | 'ended';
/** How describing the model of an experiment file stands; `absent` where it names none. */
type ModelState = 'describing' | 'described' | 'failed' | 'absent';

/** A command that is in no menu. */
export const SHOW_LANGUAGE_LOG = 'deeptwist.showLanguageLog';

export class LanguageStatus extends Disposable {
  readonly #services: Services;
  readonly #server = this.#item('server', l10n.t('DeepTwist Language Server'));
  readonly #model = this.#item('model', l10n.t('DeepTwist Model'));
  readonly #run = this.#item('run', l10n.t('DeepTwist Last Run'));
  /** By the paths of experiment files. */
  readonly #models = new Map<string, ModelState>();

  constructor(services: Services) {
    super();
    this.#services = services;
    const draw = () => {
      this.#drawModel();
      this.#drawRun().catch((error: unknown) => services.log.error(stackOf(error)));
    };
    this.register(window.onDidChangeActiveTextEditor(draw));
    this.register(services.store.onDidChange(draw));
    this.register(onPhaseChange(services.store, draw));
    this.register(workspace.onDidGrantWorkspaceTrust(draw));
    this.register(
      workspace.onDidChangeConfiguration((event) => event.affectsConfiguration('deeptwist.describeModels') && draw()),
    );
    this.serverIs('starting');
    draw();
  }

  serverIs(state: ServerState): void {
    const item = this.#server;
    item.busy = state === 'starting';
    item.severity = state === 'ended' ? LanguageStatusSeverity.Error : LanguageStatusSeverity.Information;
    item.text =
      state === 'running'
        ? l10n.t('Checked as you type')
        : state === 'starting'
          ? l10n.t('Starting')
          : l10n.t('Not checked');
    item.detail = state === 'ended' ? l10n.t('the language server has ended') : l10n.t('DeepTwist language server');
    item.command = { command: 'deeptwist.restartLanguageServer', title: l10n.t('Restart') };
  }

  modelIs({ fsPath }: Uri, state: ModelState): void {
    this.#models.set(fsPath, state);
    this.#drawModel();
  }

  #item(id: string, name: string): LanguageStatusItem {
    const item = this.register(
      languages.createLanguageStatusItem(`deeptwist.${id}`, { language: EXPERIMENT_LANGUAGE }),
    );
    item.name = name;
    return item;
  }

  #drawModel(): void {
    const document = shownExperiment();
    const state = document && this.#models.get(document.uri.fsPath);
    const item = this.#model;
    item.busy = state === 'describing';
    item.severity = state === 'failed' ? LanguageStatusSeverity.Warning : LanguageStatusSeverity.Information;
    item.detail = l10n.t('names of layers and their shapes');
    item.command = undefined;
    if (!workspace.isTrusted) {
      item.text = l10n.t('Model not loaded');
      item.detail = l10n.t('the workspace is not trusted');
      item.command = { command: MANAGE_TRUST, title: l10n.t('Manage Trust') };
    } else if (!mayDescribeModels()) {
      item.text = l10n.t('Model not loaded');
      item.detail = l10n.t('as your settings say');
      const title = l10n.t('Open Settings');
      item.command = { command: 'workbench.action.openSettings', title, arguments: ['deeptwist.describeModels'] };
    } else if (state === 'failed') {
      item.text = l10n.t('Model cannot be described');
      item.command = { command: SHOW_LANGUAGE_LOG, title: l10n.t('Show Log') };
    } else if (state === 'described') item.text = l10n.t('Model described');
    else item.text = state === 'absent' ? l10n.t('No model') : l10n.t('Describing the model');
  }

  async #drawRun(): Promise<void> {
    const document = shownExperiment();
    const [newest] = document ? await this.#services.store.runsOf(experimentFileOf(document.uri), 1) : [];
    if (document !== shownExperiment()) return;
    const item = this.#run;
    item.text = newest ? l10n.t('Last run: {0}', stateName(runPhase(newest))) : l10n.t('No run yet');
    item.detail = newest && outcomeText(newest);
    item.command = newest && {
      command: 'deeptwist.openDashboard',
      title: l10n.t('Open Dashboard'),
      arguments: [newest.key],
    };
  }
}

function shownExperiment(): TextDocument | undefined {
  const document = window.activeTextEditor?.document;
  return document && isOpenExperiment(document.uri) ? document : undefined;
}
