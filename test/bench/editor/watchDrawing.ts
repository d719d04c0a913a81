/** @file Notes in a dashboard's page when it has drawn what it was told. */
import type { Page } from 'playwright-core';
import { webview } from '../../../scripts/editor/workbench.js';

/** Times in milliseconds since the epoch. */
export interface Drawn {
  /** When the training process recorded a metrics event, and when its points were on the screen. */
  readonly events: readonly { readonly recorded: number; readonly painted: number }[];
  /** How many rows of metrics a whole run has, and when its curves were on the screen. */
  readonly snapshots: readonly { readonly rows: number; readonly painted: number }[];
}

/** For every page of a dashboard that is opened in the window from now on. */
export async function watchDrawing(page: Page): Promise<void> {
  await page.context().addInitScript(install);
}

/** What was drawn since the page was opened. */
export function drawn(page: Page): Promise<Drawn> {
  return webview(page)
    .locator('body')
    .evaluate(() => (window as unknown as { drawn: Drawn }).drawn);
}

/**
 * Runs in the page, before its scripts. The page draws in the frame after a message; when the next frame after that begins,
 * the one before is on the screen. VS Code opens a webview's document anew over a frame, which takes away the listeners that were
 * there before: so it is noted where the page listens.
 */
function install(): void {
  const events: { recorded: number; painted: number }[] = [];
  const snapshots: { rows: number; painted: number }[] = [];
  Object.assign(window, { drawn: { events, snapshots } });

  const afterDrawing = (then: () => void) => requestAnimationFrame(() => requestAnimationFrame(then));

  /** True where a chart shows a line: axes and text are grey. */
  const showsCurve = (): boolean => {
    const canvas = document.querySelector<HTMLCanvasElement>('.chart canvas');
    if (!canvas || canvas.width < 100 || canvas.height < 50) return false;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    let colored = 0;
    for (let i = 0; i < data.length; i += 4) {
      const [red, green, blue] = [data[i], data[i + 1], data[i + 2]];
      if (data[i + 3] > 60 && Math.max(red, green, blue) - Math.min(red, green, blue) > 40) colored++;
    }
    return colored > 100;
  };
  const onceCurvesShow = (then: () => void): void => {
    if (showsCurve()) then();
    else afterDrawing(() => onceCurvesShow(then));
  };

  const note = ({ data }: MessageEvent): void => {
    const message = (data ?? {}) as {
      type?: string;
      snapshot?: { metrics: { length: number } };
      events?: { type: string; time: number }[];
    };
    if (message.type === 'events') {
      const times = (message.events ?? []).filter(({ type }) => type === 'metrics').map(({ time }) => time);
      afterDrawing(() => {
        const painted = Date.now();
        for (const recorded of times) events.push({ recorded, painted });
      });
    }
    if (message.type === 'snapshot' && message.snapshot) {
      const rows = message.snapshot.metrics.length;
      afterDrawing(() => {
        const painted = Date.now();
        // Looking for the curves takes time itself: it is not counted where they are there at once.
        if (showsCurve()) snapshots.push({ rows, painted });
        else onceCurvesShow(() => snapshots.push({ rows, painted: Date.now() }));
      });
    }
  };

  const { addEventListener, removeEventListener } = EventTarget.prototype;
  EventTarget.prototype.addEventListener = function (this: EventTarget, ...args: Parameters<typeof addEventListener>) {
    addEventListener.apply(this, args);
    if (args[0] !== 'message' || this !== window) return;
    // Always the last: it asks for a frame after the page has.
    removeEventListener.call(this, 'message', note as EventListener);
    addEventListener.call(this, 'message', note as EventListener);
  };
}
