/** @file Tools of the editor for agents: what is wrong in the open experiment, the dashboard at a weight, changing a run that trains. */
import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import {
  commands,
  DiagnosticSeverity,
  l10n,
  languages,
  LanguageModelTextPart,
  LanguageModelToolResult,
  Uri,
  window,
  workspace,
  type PreparedToolInvocation,
} from 'vscode';
import * as z from 'zod';
import { checkExperiment } from '../../server/protocol/experiment/parseExperiment.ts';
import { describeChange } from '../../server/protocol/experiment/settingChanges.ts';
import { withoutLinks } from '../../server/protocol/markdown.ts';
import { UserError } from '../../server/protocol/userError.ts';
import { differencesFromRun } from '../lastRun/differences.ts';
import { liveRunOf, nothingToApply, wantedOf } from '../lastRun/runSettings.ts';
import { settingsOf } from '../runs/settingsOfRun.ts';
import { withRemedy } from '../messages.ts';
import { isOpenExperiment } from '../runs/experimentFiles.ts';
import type { Services } from '../services.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import { requireTrustToChangeRuns } from '../trust.ts';
import type { AgentToolName } from './toolNames.ts';

/** Problems in an answer, and runs among which one is looked for. */
const MOST_PROBLEMS = 50;
const NEWEST = 200;

const fileInput = z.object({ file: z.string().optional() });
const dashboardInput = z.object({ run: z.string().optional(), weight: z.string().optional() });

interface EditorTool {
  /** What the user reads before it is done. @throws UserError where it cannot be done */
  prepare(input: unknown): PreparedToolInvocation | Promise<PreparedToolInvocation>;
  /** @returns what becomes JSON */
  invoke(input: unknown): Promise<object>;
}

export class AgentTools implements Readonly<Record<AgentToolName, EditorTool>> {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  /** The answer of a tool as a language model reads it. @throws Error with what is wrong and what to do */
  async answer(name: AgentToolName, input: unknown): Promise<LanguageModelToolResult> {
    try {
      const answer = await this[name].invoke(input);
      return new LanguageModelToolResult([new LanguageModelTextPart(JSON.stringify(answer))]);
    } catch (error) {
      throw error instanceof UserError ? new Error(withRemedy(error), { cause: error }) : error;
    }
  }

  readonly deeptwist_experimentProblems: EditorTool = {
    prepare: () => ({ invocationMessage: l10n.t('Reading the problems of the experiment') }),
    invoke: async (input) => {
      const uri = experimentOf(fileInput.parse(input).file);
      const document = await workspace.openTextDocument(uri);
      const all = languages.getDiagnostics(uri).filter(({ source }) => source === 'DeepTwist');
      return {
        file: uri.fsPath,
        isSaved: !document.isDirty,
        problems: all.slice(0, MOST_PROBLEMS).map(({ range: { start, end }, severity, code, message }) => ({
          line: start.line + 1,
          column: start.character + 1,
          endLine: end.line + 1,
          endColumn: end.character + 1,
          severity: DiagnosticSeverity[severity].toLowerCase(),
          code,
          message,
        })),
        more: Math.max(0, all.length - MOST_PROBLEMS),
      };
    },
  };

  readonly deeptwist_openDashboard: EditorTool = {
    prepare: (input) => {
      const { run, weight } = dashboardInput.parse(input);
      return {
        invocationMessage: l10n.t('Opening the dashboard'),
        confirmationMessages: {
          title: l10n.t('Open the dashboard?'),
          message: withoutLinks(
            weight === undefined
              ? l10n.t('Shows the run {0} in the DeepTwist dashboard.', run ?? l10n.t('that is the newest'))
              : l10n.t('Shows the weight {1} of the run {0} in the DeepTwist dashboard.', run ?? l10n.t('that is the newest'), weight), // prettier-ignore
          ),
        },
      };
    },
    invoke: async (input) => {
      const { run, weight } = dashboardInput.parse(input);
      const stored = await this.#runOf(run);
      await commands.executeCommand('deeptwist.openDashboard', stored.key, weight);
      return { run: stored.run.id, ...(weight !== undefined && { weight }) };
    },
  };

  readonly deeptwist_applyFromNextDistortion: EditorTool = {
    prepare: async (input) => {
      requireTrustToChangeRuns();
      const { run, changes } = await this.#changes(experimentOf(fileInput.parse(input).file));
      return {
        invocationMessage: l10n.t('Changing the run {0}', run.run.id),
        confirmationMessages: {
          title: l10n.t('Change the run that trains?'),
          message: withoutLinks(
            l10n.t('The run {0} applies from its next distortion on: {1}', run.run.id, changes.join('; ')),
          ),
        },
      };
    },
    invoke: async (input) => {
      requireTrustToChangeRuns();
      const uri = experimentOf(fileInput.parse(input).file);
      const { run, changes, kept } = await this.#changes(uri);
      const step = await commands.executeCommand<number | undefined>('deeptwist.applyFromNextDistortion', uri);
      if (step === undefined)
        throw new UserError(l10n.t('The run {0} could not be changed.', run.run.id), {
          remedy: l10n.t('The editor shows why; the run may have ended meanwhile.'),
        });
      return { run: run.run.id, afterStep: step, changes, ...(kept.length > 0 && { kept }) };
    },
  };

  /** What an experiment's text says otherwise than its run that trains. @throws UserError where there is nothing that the run can take */
  async #changes(uri: Uri): Promise<{ run: StoredRun; changes: string[]; kept: readonly string[] }> {
    const run = liveRunOf(this.#services.store, uri);
    const settings = run && (await settingsOf(run));
    if (!run || !settings)
      throw new UserError(l10n.t('No run of {0} is training.', uri.fsPath), {
        remedy: l10n.t('Start one; then change the file.'),
      });
    const text = (await workspace.openTextDocument(uri)).getText();
    const { experiment, problems } = checkExperiment(text);
    if (!experiment)
      throw new UserError(`${uri.fsPath}:${problems[0].line}: ${problems[0].message}`, {
        remedy: l10n.t('Correct the file.'),
      });
    const wanted = await wantedOf(differencesFromRun(settings, experiment), run, settings, text);
    const { applied, fixed } = wanted;
    if (applied.length > 0) return { run, changes: applied.map(describeChange), kept: fixed.map(({ path }) => path) };
    throw new UserError(nothingToApply(wanted), {
      remedy: fixed.length === 0 ? l10n.t('Change the file first.') : l10n.t('Start a new run with these values.'),
    });
  }

  /** @param id of a run, or the beginning of one; absent: the newest */
  async #runOf(id: string | undefined): Promise<StoredRun> {
    const runs = await this.#services.store.newest(NEWEST);
    const found = id === undefined ? runs.at(0) : (runs.find(({ run }) => run.id === id) ?? runs.find(({ run }) => run.id.startsWith(id))); // prettier-ignore
    if (found) return found;
    const newest = runs
      .slice(0, 10)
      .map(({ run }) => run.id)
      .join(', ');
    throw new UserError(
      id === undefined ? l10n.t('This workspace has no run yet.') : l10n.t("There is no run '{0}'.", id),
      {
        remedy: l10n.t('The newest runs: {0}', newest),
      },
    );
  }
}

/** @param file path of an experiment file, as seen from the first folder of the workspace in which it is there; absent: the one in the active editor */
function experimentOf(file: string | undefined): Uri {
  const uri = file === undefined ? shownExperiment() : inWorkspace(file);
  if (uri) return uri;
  throw new UserError(
    file === undefined
      ? l10n.t('No experiment file is open in the editor.')
      : l10n.t('{0} is no experiment file of the workspace.', file),
    { remedy: l10n.t('Give "file": the path of a *.deeptwist.jsonc in the workspace.') },
  );
}

function shownExperiment(): Uri | undefined {
  const editors = [window.activeTextEditor, ...window.visibleTextEditors];
  return editors.find((editor) => editor && isOpenExperiment(editor.document.uri))?.document.uri;
}

function inWorkspace(file: string): Uri | undefined {
  const folders = workspace.workspaceFolders ?? [];
  const paths = isAbsolute(file) ? [resolve(file)] : folders.map(({ uri }) => resolve(uri.fsPath, file));
  return paths
    .map((path) => Uri.file(path))
    .find((uri) => isOpenExperiment(uri) && workspace.getWorkspaceFolder(uri) && existsSync(uri.fsPath));
}
