/** @file How old a point is when a user sees it: from when the training process records it until the dashboard has drawn it. */
import { beside, median, type Limited } from '../bench.ts';
import { openDashboard, openExperiment, startRun, withEditor } from './session.ts';
import { until } from './until.ts';
import { drawn, watchDrawing } from './watchDrawing.ts';

const EVENTS = 1000;
/** The first points of a run come in one message with what was recorded while the page was being opened. */
const FIRST = 50;

export function measureEventToPixels(): Promise<Limited[]> {
  return withEditor({}, async (session) => {
    const page = await session.window({ width: 1500, height: 950 });
    await watchDrawing(page);
    await openExperiment(page);
    await openDashboard(page);
    await startRun(session, page);
    const events = await until(
      `${EVENTS} points to be drawn`,
      async () => {
        const seen = (await drawn(page).catch(() => undefined))?.events ?? [];
        return seen.length >= FIRST + EVENTS && seen;
      },
      { patience: 60_000, interval: 500 },
    );
    const ages = events.slice(FIRST).map(({ recorded, painted }) => painted - recorded);
    const sorted = ages.toSorted((a, b) => a - b);
    return [
      beside(500, 'event to pixels', median(ages), 'ms'),
      beside(500, 'event to pixels, 95 of 100', sorted[Math.ceil(0.95 * sorted.length) - 1], 'ms'),
    ];
  });
}
