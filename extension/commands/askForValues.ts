/** @file Asks for settings that differ from an experiment: typed with completion, checked while they are typed, or chosen again. */
import { ThemeIcon, l10n, window, type Memento, type QuickPickItem } from 'vscode';
import { parseOverride } from '../../server/protocol/experiment/overrides.ts';
import { checkExperiment } from '../../server/protocol/experiment/parseExperiment.ts';
import { splitValues } from '../runs/overrideText.ts';
import { completeValues } from './completeValues.ts';

/** Lines that were used, in this workspace; the newest first. */
const HISTORY = 'changedValues';
const HISTORY_LENGTH = 20;

export interface ValueRequest {
  readonly title: string;
  /** Text of the experiment file. */
  readonly text: string;
  /** `path=value` texts that apply to it in any case. */
  readonly overrides: readonly string[];
  readonly state: Memento;
}

interface Entry extends QuickPickItem {
  /** What the input becomes when it is chosen; the whole line where it can be used as it is. */
  readonly line: string;
  readonly completes: boolean;
}

/** @returns the texts `path=value`; undefined where the user turned away */
export async function askForValues(request: ValueRequest): Promise<string[] | undefined> {
  const { state } = request;
  const history = state.get<string[]>(HISTORY, []);
  const line = await askForLine(request, history);
  if (line === undefined) return undefined;
  await state.update(HISTORY, [line, ...history.filter((entry) => entry !== line)].slice(0, HISTORY_LENGTH));
  return splitValues(line);
}

function askForLine(request: ValueRequest, history: readonly string[]): Promise<string | undefined> {
  const pick = window.createQuickPick<Entry>();
  pick.title = request.title;
  pick.placeholder = l10n.t('path=value, separated by spaces: {0}', 'compression.distortEvery=100 training.seed=2');
  pick.ignoreFocusOut = true;
  const show = () => (pick.items = entriesOf(pick.value, request, history));
  const edit = (line: string) => {
    pick.value = line;
    show();
  };
  show();
  return new Promise((resolve) => {
    pick.onDidChangeValue(show);
    pick.onDidTriggerItemButton(({ item }) => edit(item.line));
    pick.onDidAccept(() => {
      const [chosen] = pick.selectedItems;
      if (!chosen) return;
      if (chosen.completes || problemOf(chosen.line, request) !== undefined) return edit(chosen.line);
      resolve(chosen.line);
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}

/** The typed line where it can be used, completions of it, and lines that were used before. */
function entriesOf(value: string, request: ValueRequest, history: readonly string[]): Entry[] {
  const typed = value.trim();
  const problem = typed === '' ? undefined : problemOf(typed, request);
  const completions = completeValues(value.trimStart(), request.text, request.overrides).map((completion): Entry => ({
    ...completion,
    description: completion.present ? l10n.t('its value now') : completion.description,
    iconPath: new ThemeIcon('symbol-property'),
    completes: true,
    alwaysShow: true,
  }));
  const edit = { iconPath: new ThemeIcon('edit'), tooltip: l10n.t('Edit') };
  const used = history
    .filter((line) => line !== typed)
    .map((line): Entry => ({
      label: line,
      line,
      completes: false,
      iconPath: new ThemeIcon('history'),
      buttons: [edit],
    }));
  if (typed === '') return [...used, ...completions];
  const icon = new ThemeIcon(problem === undefined ? 'play' : 'warning');
  const first: Entry = {
    label: typed,
    line: typed,
    detail: problem,
    iconPath: icon,
    completes: false,
    alwaysShow: true,
  };
  // A line that cannot be used yet is most often one that is not complete; VS Code would put it before its completions.
  return problem === undefined || completions.length === 0
    ? [first, ...completions, ...used]
    : [...completions, ...used];
}

function problemOf(line: string, { text, overrides }: ValueRequest): string | undefined {
  const values = splitValues(line);
  const malformed = values.find((value) => !parseOverride(value));
  if (malformed !== undefined) return l10n.t('{0} is not of the form path=value.', malformed);
  const [problem] = checkExperiment(text, [...overrides, ...values]).problems;
  return problem && `${problem.path}: ${problem.message}`;
}
