/** @file How the shown run stands, and what can be done with it. */
import * as l10n from '@vscode/l10n';
import type { DashboardCommand, RunKey } from '../../server/protocol/wire/dashboard.ts';
import { iconButton, progressBar } from '../controls/controls.ts';
import { icon } from '../controls/icons.ts';
import { element, setText } from '../element.ts';
import { runCommands } from '../state.ts';
import type { PageState } from '../state.ts';
import { commandWords, stateLine } from './words.ts';

export interface StateBar {
  readonly element: HTMLElement;
  update(state: PageState): void;
}

export function createStateBar(send: (command: DashboardCommand, run: RunKey) => void): StateBar {
  const mark = element('span', { class: 'run-state' });
  const phase = element('span', { class: 'state-phase', role: 'status' });
  const facts = element('span', { class: 'state-facts' });
  const buttons = element('div', { class: 'state-buttons', role: 'toolbar', 'aria-label': l10n.t('Run') });
  const progress = progressBar(l10n.t('Progress'));
  const root = element(
    'div',
    { class: 'state-bar', hidden: true },
    element('div', { class: 'state-line' }, mark, phase, buttons, facts),
    progress.element,
  );
  let drawn = '';

  return {
    element: root,
    update({ shown: [run], restricted }) {
      root.hidden = run?.summary === undefined;
      if (!run?.summary) return;
      const line = stateLine(run);
      setText(phase, line.phase);
      // A line may end after a dot, nowhere else.
      setText(facts, line.facts.map((fact) => fact.replaceAll(' ', '\u00a0')).join('\u00a0· '));
      progress.element.hidden = line.progress === undefined;
      progress.set(line.progress);

      const commands: DashboardCommand[] = [...runCommands(run, restricted !== undefined), 'openExperiment'];
      const key = [run.key, line.icon, ...commands].join();
      if (key === drawn) return;
      drawn = key;
      mark.className = `run-state state-${line.icon}`;
      mark.replaceChildren(icon(line.icon));
      const focused = [...buttons.children].indexOf(document.activeElement!);
      buttons.replaceChildren(
        ...commands.map((command) => {
          const { label, icon: name, title } = commandWords[command];
          return iconButton(name!, title ?? label, () => send(command, run.key));
        }),
      );
      // Pausing takes its own button away; the focus goes to what replaced it.
      if (focused >= 0) (buttons.children[Math.min(focused, buttons.children.length - 1)] as HTMLElement).focus();
    },
  };
}
