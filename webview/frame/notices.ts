/** @file What keeps a run from being seen or from going on, and the buttons that mend it. */
import * as l10n from '@vscode/l10n';
import type { DashboardCommand, RunKey } from '../../server/protocol/wire/dashboard.ts';
import { codePlaceIn, withoutCodePlace, type CodePlace } from '../../server/protocol/codePlace.ts';
import { formatNumber } from '../../server/protocol/formatQuantity.ts';
import { fileName } from '../../server/protocol/fileName.ts';
import { inOneLine } from '../../server/protocol/userError.ts';
import { button, iconButton, progressBar } from '../controls/controls.ts';
import { element } from '../element.ts';
import { runCommands } from '../state.ts';
import type { PageState, ShownRun } from '../state.ts';
import { commandWords, runFileWords } from './words.ts';

export interface Notice {
  readonly kind: 'error' | 'warning' | 'info';
  readonly title: string;
  readonly text?: string;
  readonly commands: readonly DashboardCommand[];
  readonly run?: RunKey;
  /** The place that the command `openFailure` opens. */
  readonly place?: CodePlace | undefined;
  readonly dismissible?: boolean;
  /** 0 to 1, where something is on its way. */
  readonly loading?: number;
}

/** How long the process of a run may take until it answers, in milliseconds. A busy machine needs seconds. */
const CONNECTING_MS = 10_000;

/** Tells for how long the shown runs that a process trains have been out of reach. */
export class Reach {
  /** Times at which they were first seen so. */
  readonly #since = new Map<RunKey, number>();

  /** @param now in milliseconds */
  update({ shown }: PageState, now: number): void {
    for (const key of this.#since.keys()) if (!shown.some((run) => run.key === key)) this.#since.delete(key);
    for (const { key, live, summary } of shown) {
      const isOut = !live && (summary?.state === 'running' || summary?.state === 'queued');
      if (!isOut) this.#since.delete(key);
      else if (!this.#since.has(key)) this.#since.set(key, now);
    }
  }

  /** True where it is so long that something must be wrong. */
  isLost(key: RunKey, now: number): boolean {
    return now - (this.#since.get(key) ?? now) >= CONNECTING_MS;
  }

  /** Milliseconds until the first of them is lost; undefined where none is waited for. */
  untilLost(now: number): number | undefined {
    const left = Array.from(this.#since.values(), (since) => since + CONNECTING_MS - now).filter((ms) => ms > 0);
    return left.length === 0 ? undefined : Math.min(...left);
  }
}

/**
 * All that is to be said, the most important first. Pure.
 * @param isLost true for a run whose process has not answered for too long
 */
export function noticesOf(state: PageState, isLost: (run: RunKey) => boolean): Notice[] {
  if (state.elsewhere)
    return [
      {
        kind: 'info',
        title: l10n.t('The dashboard is open in the editor area.'),
        text: l10n.t('Close it there to have it here.'),
        commands: ['openDashboard'],
      },
    ];
  const notices: Notice[] = [];
  if (state.problem)
    notices.push({
      kind: 'error',
      title: state.problem.message,
      text: state.problem.remedy,
      commands: [],
      dismissible: true,
    });
  if (state.restricted)
    notices.push({
      kind: 'warning',
      title: l10n.t('Restricted Mode'),
      text: state.restricted.reason,
      commands: ['manageTrust'],
    });
  if (state.runs === undefined)
    notices.push({ kind: 'info', title: l10n.t('Looking for runs…'), commands: [], loading: NaN });
  else if (state.shown.length === 0)
    notices.push(
      state.runs.length === 0
        ? noRuns(state)
        : { kind: 'info', title: l10n.t('No run is shown'), text: l10n.t('Select one above.'), commands: [] },
    );
  state.shown.forEach((run, place) =>
    notices.push(...runNotices(run, place, { restricted: state.restricted !== undefined, lost: isLost(run.key) })),
  );
  return notices;
}

function noRuns({ withoutExperiment, restricted }: PageState): Notice {
  const title = l10n.t('No runs to show');
  if (withoutExperiment)
    return {
      kind: 'info',
      title,
      text: l10n.t(
        'The workspace has no experiment file yet. New Experiment… in the Experiments view writes one; its runs are shown here.',
      ),
      commands: [],
    };
  return {
    kind: 'info',
    title,
    text: l10n.t(
      'Run an experiment to watch what compression does to its weights. Runs of a sweep are opened from its page.',
    ),
    commands: restricted ? [] : ['runExperiment'],
  };
}

function runNotices(
  run: ShownRun,
  place: number,
  { restricted, lost }: { restricted: boolean; lost: boolean },
): Notice[] {
  const { key, summary, problem, loading, snapshot, live } = run;
  const notices: Notice[] = [];
  const of = place === 0 ? '' : `${run.label}: `;
  if (problem)
    notices.push({ kind: 'error', title: of + problem.message, text: problem.remedy, commands: ['showLog'], run: key });
  else if (!snapshot)
    notices.push({
      kind: 'info',
      title: of + l10n.t('Reading the run…'),
      commands: [],
      run: key,
      loading: loading ?? NaN,
    });
  if (place > 0 || !summary) return notices;

  const offered = runCommands(run, restricted);
  const end = snapshot?.end;
  switch (summary.state) {
    case 'failed': {
      const failure = summary.failure ?? (end?.type === 'failed' ? end : undefined);
      const place = failure && codePlaceIn(failure.message);
      // Another run of the same settings would most often fail again: the file is what a user has mended.
      const commands: DashboardCommand[] = [
        ...(place ? (['openFailure'] as const) : []),
        ...(restricted ? [] : (['runExperiment', ...offered] as const)),
        'showLog',
      ];
      notices.push({ kind: 'error', ...failureWords(failure, place), commands, run: key, place });
      break;
    }
    case 'interrupted':
      notices.push({
        kind: 'warning',
        title: l10n.t('The run was interrupted: its process ended before the run did.'),
        text: l10n.t(
          'Resume continues from the last checkpoint and leads to the same final weights. The log has the last output of the process.',
        ),
        commands: [...offered, 'showLog'],
        run: key,
      });
      break;
    case 'stopped':
      notices.push({
        kind: 'info',
        title: l10n.t('The run was stopped.'),
        text: l10n.t('Resume continues from its checkpoint.'),
        commands: offered,
        run: key,
      });
      break;
    case 'running':
    case 'queued':
      if (!live && snapshot && lost)
        notices.push({
          kind: 'warning',
          title: l10n.t('Not connected to the run.'),
          text: l10n.t(
            'Recorded data is shown, but you cannot pause or stop the run here until the connection is back.',
          ),
          commands: ['showLog'],
          run: key,
        });
      break;
    case 'finished': {
      const rise = end?.type === 'finished' ? end.summary.lossRise : undefined;
      if (rise)
        notices.push({
          kind: 'warning',
          title: l10n.t('The loss is larger at the end than at the beginning.'),
          text: l10n.t(
            'It went from {0} to {1}: the training may have diverged. Try a smaller learning rate.',
            formatNumber(rise.first),
            formatNumber(rise.last),
          ),
          commands: ['openExperiment'],
          run: key,
        });
      break;
    }
    default:
      summary.state satisfies never;
  }
  return notices;
}

/** Characters of a message that are read at a glance. */
const LONGEST_TITLE = 160;

function failureWords(
  failure: { readonly message: string; readonly remedy?: string } | undefined,
  place: CodePlace | undefined,
): Pick<Notice, 'title' | 'text'> {
  const title = l10n.t('The run failed.');
  if (!failure) return { title };
  const { remedy } = failure;
  const message = place ? withoutCodePlace(failure.message, place) : failure.message;
  if (message.length <= LONGEST_TITLE) return { title: message, ...(remedy !== undefined && { text: remedy }) };
  return { title, text: inOneLine({ message, ...(remedy !== undefined && { remedy }) }) };
}

export interface Notices {
  readonly element: HTMLElement;
  update(state: PageState): void;
}

export function createNotices(
  send: (command: DashboardCommand, run: RunKey | undefined) => void,
  dismiss: () => void,
): Notices {
  const root = element('div', { class: 'notices' });
  const reach = new Reach();
  let drawn = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  return { element: root, update };

  function update(state: PageState): void {
    clearTimeout(timer);
    const now = performance.now();
    reach.update(state, now);
    const left = reach.untilLost(now);
    if (left !== undefined) timer = setTimeout(() => update(state), left);
    const notices = noticesOf(state, (run) => reach.isLost(run, now));
    const key = JSON.stringify(notices);
    if (key === drawn) return;
    drawn = key;
    root.replaceChildren(...notices.map((notice) => draw(notice)));
  }

  function draw({ kind, title, text, commands, run, place, dismissible, loading }: Notice): HTMLElement {
    const bar = loading === undefined ? undefined : progressBar(title);
    bar?.set(Number.isNaN(loading) ? undefined : loading);
    return element(
      'div',
      { class: `notice notice-${kind}`, role: kind === 'error' ? 'alert' : 'status' },
      element('div', { class: 'notice-title' }, title),
      text === undefined ? undefined : element('div', { class: 'notice-text' }, text),
      bar?.element,
      commands.length === 0
        ? undefined
        : element(
            'div',
            { class: 'notice-buttons' },
            ...commands.map((command, i) => {
              const { label, title: hint } =
                command === 'openFailure' && place
                  ? placeWords(place)
                  : command === 'runExperiment' && run !== undefined
                    ? runFileWords
                    : commandWords[command];
              return button(label, () => send(command, run), { primary: i === 0, title: hint });
            }),
          ),
      dismissible ? iconButton('close', l10n.t('Dismiss'), dismiss) : undefined,
    );
  }
}

function placeWords({ file, line }: CodePlace): { label: string; title: string } {
  return { label: l10n.t('Open {0}, line {1}', fileName(file), line), title: file };
}
