/** @file Asks for settings that differ from the experiment file: typed, checked while they are typed, or chosen again. */
import { ThemeIcon, l10n, window, type Memento, type QuickPickItem } from 'vscode';
import { parseOverride } from '../../server/protocol/overrides.ts';
import { checkExperiment } from '../../server/protocol/parseExperiment.ts';
import { splitValues } from './changedValues.ts';

/** Lines that were used, in this workspace; the newest first. */
const HISTORY = 'changedValues';
const HISTORY_LENGTH = 20;

/**
 * @param text of the experiment file
 * @returns the texts `path=value`; undefined where the user turned away
 */
export async function askForValues(text: string, state: Memento): Promise<string[] | undefined> {
  const history = state.get<string[]>(HISTORY, []);
  const line = await askForLine(history, (typed) => problemOf(typed, text));
  if (line === undefined) return undefined;
  await state.update(HISTORY, [line, ...history.filter((entry) => entry !== line)].slice(0, HISTORY_LENGTH));
  return splitValues(line);
}

function askForLine(history: readonly string[], check: (line: string) => string | undefined) {
  const pick = window.createQuickPick();
  pick.title = l10n.t('Run With Changed Values');
  pick.placeholder = l10n.t('path=value, separated by spaces: {0}', 'compression.distortEvery=100 training.seed=2');
  pick.ignoreFocusOut = true;
  const edit = { iconPath: new ThemeIcon('edit'), tooltip: l10n.t('Edit') };
  const used = history.map((label): QuickPickItem => ({ label, iconPath: new ThemeIcon('history'), buttons: [edit] }));
  const show = () => {
    const typed = pick.value.trim();
    const problem = check(typed);
    const icon = new ThemeIcon(problem === undefined ? 'play' : 'warning');
    const first = { label: typed, detail: problem, iconPath: icon, alwaysShow: true };
    pick.items = typed === '' ? used : [first, ...used.filter(({ label }) => label !== typed)];
  };
  show();
  return new Promise<string | undefined>((resolve) => {
    pick.onDidChangeValue(show);
    pick.onDidTriggerItemButton(({ item }) => {
      pick.value = item.label;
      show();
    });
    pick.onDidAccept(() => {
      const line = pick.selectedItems[0]?.label;
      if (line === undefined) return;
      if (check(line) === undefined) {
        resolve(line);
        pick.hide();
      } else {
        pick.value = line;
        show();
      }
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}

function problemOf(line: string, text: string): string | undefined {
  const overrides = splitValues(line);
  const malformed = overrides.find((override) => !parseOverride(override));
  if (malformed !== undefined) return l10n.t('{0} is not of the form path=value.', malformed);
  const [problem] = checkExperiment(text, overrides).problems;
  return problem && `${problem.path}: ${problem.message}`;
}
