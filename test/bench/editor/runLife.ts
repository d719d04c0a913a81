/**
 * @file How a run begins and how its window tells of a sudden end: from the key of *DeepTwist: Run* to the first training
 * step that is recorded, and from the death of the run's process to the message.
 */
import { basename } from 'node:path';
import type { Page } from 'playwright-core';
import { webview } from '../../../scripts/editor/workbench.js';
import { beside, median, type Limited } from '../bench.ts';
import { eventsOf } from '../../e2e/editorSession.ts';
import { killTrainer, openExperiment, startRun, withEditor } from './session.ts';
import { until, within } from './until.ts';

const RUNS = 6;

export function measureRunLife(): Promise<Limited[]> {
  return withEditor({}, async (session) => {
    const page = await session.window({ width: 1400, height: 900 });
    await openExperiment(page);
    const toStep: number[] = [];
    const toMessage: number[] = [];
    for (let i = 0; i < RUNS; i++) {
      const { pressed, run } = await startRun(session, page);
      const firstStep = await until('the first step', () =>
        eventsOf(run).find(({ type, step }) => type === 'metrics' && step >= 1),
      );
      toStep.push(firstStep.time - pressed);
      await webview(page).locator('.page-head', { hasText: 'Training' }).waitFor();

      const shown = messageShown(page, basename(run));
      await page.evaluate(() => undefined); // From here on the window is watched.
      const killed = Date.now();
      killTrainer(run);
      toMessage.push((await within('the message that the process has ended', shown)) - killed);
      console.log(`  run ${i + 1}: first step after ${toStep[i]} ms, message ${toMessage[i]} ms after the end`);
      await page.keyboard.press('Escape');
      await page.evaluate(clearMessages);
    }
    return [
      beside(3000, 'command to first training step', median(toStep), 'ms'),
      beside(3000, 'command to first training step, worst', Math.max(...toStep), 'ms'),
      beside(1000, 'crash to message', median(toMessage), 'ms'),
      beside(1000, 'crash to message, worst', Math.max(...toMessage), 'ms'),
    ];
  });
}

/** When a notification that names the run is on the screen, milliseconds since the epoch. */
function messageShown(page: Page, id: string): Promise<number> {
  return page.evaluate(
    (text) =>
      new Promise<number>((resolve) => {
        const look = () => {
          const messages = [...document.querySelectorAll('.notifications-toasts .notification-list-item-message')];
          if (!messages.some((message) => message.textContent?.includes(text))) return;
          observer.disconnect();
          requestAnimationFrame(() => requestAnimationFrame(() => resolve(Date.now())));
        };
        const observer = new MutationObserver(look);
        observer.observe(document.body, { subtree: true, childList: true, characterData: true });
        look();
      }),
    id,
  );
}

function clearMessages(): void {
  document
    .querySelectorAll<HTMLElement>('.notifications-toasts .codicon-notifications-clear')
    .forEach((button) => button.click());
}
