/** @file The slider through the recorded distortions of a run: to and fro, play, follow the newest. */
import * as l10n from '@vscode/l10n';
import { formatCount } from '../../../server/protocol/formatQuantity.ts';
import { checkbox, iconButton, slider } from '../../controls/controls.ts';
import { icon } from '../../controls/icons.ts';
import { element } from '../../element.ts';
import type { Remembered } from '../../viewContext.ts';
import { indexAt } from './moments.ts';
import type { Moment } from './moments.ts';

/** Time between two distortions while they are played. */
const FRAME_MS = 250;

export interface Timeline {
  readonly element: HTMLElement;
  /** Tells which steps were recorded; gives the step that is shown. */
  update(steps: readonly number[]): number | undefined;
  goTo(step: number): void;
  dispose(): void;
}

export function createTimeline(remembered: Remembered<Moment>, onChange: () => void): Timeline {
  let steps: readonly number[] = [];
  let timer: ReturnType<typeof setInterval> | undefined;

  const track = slider(
    l10n.t('Distortion'),
    { minimum: 0, maximum: 0, step: 1, value: 0 },
    (index) =>
      index < steps.length
        ? l10n.t('step {0} ({1} of {2})', formatCount(steps[index]), formatCount(index + 1), formatCount(steps.length))
        : '',
    (index) => {
      pause();
      moveTo(index);
    },
  );
  const previous = iconButton('previous', l10n.t('Previous distortion'), () => step(-1));
  const next = iconButton('next', l10n.t('Next distortion'), () => step(1));
  const play = iconButton('continue', l10n.t('Play'), () => (timer === undefined ? start() : pause()));
  const latest = checkbox(l10n.t('Follow the newest'), remembered.get() === 'latest', (on) => {
    pause();
    const index = position();
    remembered.set(on || index < 0 ? 'latest' : steps[index]);
    onChange();
  });

  function position(): number {
    return indexAt(
      steps.map((value) => ({ step: value })),
      remembered.get(),
    );
  }
  function moveTo(index: number): void {
    if (index < 0 || index >= steps.length) return;
    remembered.set(steps[index]);
    onChange();
  }
  function step(by: number): void {
    pause();
    moveTo(position() + by);
  }
  function start(): void {
    // From the end, it begins again.
    if (position() >= steps.length - 1) moveTo(0);
    timer = setInterval(() => {
      if (position() >= steps.length - 1) pause();
      else moveTo(position() + 1);
    }, FRAME_MS);
    showPlaying();
  }
  function pause(): void {
    clearInterval(timer);
    timer = undefined;
    showPlaying();
  }
  function showPlaying(): void {
    const [name, label] =
      timer === undefined ? (['continue', l10n.t('Play')] as const) : (['pause', l10n.t('Pause')] as const);
    if (play.title === label) return;
    play.replaceChildren(icon(name));
    play.title = label;
    play.setAttribute('aria-label', label);
  }

  return {
    element: element(
      'div',
      { class: 'timeline', role: 'group', 'aria-label': l10n.t('Recorded distortions') },
      element('div', { class: 'timeline-buttons' }, previous, play, next),
      track.element,
      latest.element,
    ),
    update(recorded) {
      steps = recorded;
      const index = position();
      track.set(Math.max(0, index), { maximum: Math.max(0, steps.length - 1) });
      previous.disabled = index <= 0;
      next.disabled = index >= steps.length - 1;
      play.disabled = steps.length < 2;
      latest.set(remembered.get() === 'latest');
      return steps[index];
    },
    goTo(value) {
      pause();
      remembered.set(value);
      onChange();
    },
    dispose: () => clearInterval(timer),
  };
}
