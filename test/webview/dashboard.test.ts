/** @file The page in a browser: what only a real one shows. */
import { describe, expect, it } from 'vitest';
import type { RunSummary, ToDashboard } from '../../server/protocol/wire/dashboard.ts';
import { packSnapshot } from '../../server/protocol/wire/packSnapshot.ts';
import { compressedEvents, metricsEvent, runEvents, runSummary, snapshotOf } from '../unit/webview/runFixture.ts';
import { setTheme, settled } from './dashboardPage.ts';
import { shortest } from '../until.ts';
import { dashboardOfTests } from './openedDashboard.ts';

const { open, bundle } = dashboardOfTests();

function runMessages(steps: number, changes: Partial<RunSummary> = {}): ToDashboard[] {
  const { snapshot } = packSnapshot(snapshotOf(runEvents(steps)));
  return [
    { type: 'runs', runs: [runSummary('a', changes), runSummary('b', { state: 'finished' })], shown: ['a'] },
    { type: 'snapshot', run: 'a', snapshot },
  ];
}

const live = (step: number): ToDashboard => ({
  type: 'live',
  run: 'a',
  live: { phase: 'training', step, steps: 1000 },
});

describe('the dashboard in a browser', () => {
  it('is at most 600 KB, asks for what it has shown, and breaks no rule of its security policy', async () => {
    expect(bundle().script.length).toBeLessThan(600 * 1024);
    const { said, tell, complaints, page } = await open({ state: { shown: ['a'], values: {} } });
    expect(await said()).toEqual([
      { type: 'tab', tab: 'curves' },
      { type: 'ready', shown: ['a'] },
    ]);
    await tell(...runMessages(200));
    await page.locator('.legend-entry').first().waitFor();
    // A component of the toolkit sets an empty style attribute, which is refused and does nothing.
    expect(complaints.filter((text) => !text.includes('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='))).toEqual([]);
    expect((await said()).filter(({ type }) => type === 'error')).toEqual([]);
  });

  it('draws events as they come, and sends what its buttons ask for', async () => {
    const { page, tell, said } = await open();
    await tell(...runMessages(200), live(200));
    expect(await page.locator('.state-facts').textContent()).toContain('200');
    const value = page.locator('.chart').first().locator('.legend-value');
    expect(await value.textContent()).toBe('0.005');
    await tell({ type: 'events', run: 'a', events: [metricsEvent(201, 0.25)] }, live(201));
    expect(await value.textContent()).toBe('0.25');
    await page.getByRole('button', { name: 'Pause after the current step' }).click();
    expect((await said()).at(-1)).toEqual({ type: 'command', command: 'pause', run: 'a' });
  });

  it('opens the view of weights at the weight that was chosen elsewhere, whatever was open', async () => {
    const { page, tell } = await open();
    const { snapshot } = packSnapshot(snapshotOf(compressedEvents([10, 20], 100)));
    const runs: ToDashboard = { type: 'runs', runs: [runSummary('a')], shown: ['a'] };
    await tell({ type: 'openTab', tab: 'weights', weight: 'fc2/kernel' }, runs, {
      type: 'snapshot',
      run: 'a',
      snapshot,
    });
    const chosen = () =>
      page
        .locator('[aria-label="Weight"]')
        .first()
        .evaluate((list) => (list as HTMLInputElement).value);
    expect(await page.getByRole('tab', { selected: true }).textContent()).toBe('Weights');
    expect(await chosen()).toBe('fc2/kernel');
    await tell({ type: 'openTab', tab: 'weights', weight: 'fc1/kernel' });
    expect(await chosen()).toBe('fc1/kernel');
  });

  it('reads out points by keyboard, zooms, and remembers the zoom', async () => {
    const { page, tell } = await open();
    await tell(...runMessages(200));
    const chart = page.locator('.chart').first();
    await chart.locator('.chart-plot').focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    expect(await chart.locator('> [aria-live]').textContent()).toMatch(/^step \d+, training loss 0?\.?\d/);
    await page.keyboard.press('+');
    await settled(page);
    const kept = () => page.evaluate(() => JSON.stringify((globalThis as unknown as { kept(): unknown }).kept()));
    expect(await kept()).toContain('"zoom"');
    await page.keyboard.press('0');
    expect(await kept()).not.toContain('"zoom"');
  });

  it('keeps a zoom of all charts while a run trains, and ends it with another axis or another run', async () => {
    const { page, tell } = await open({ width: 900 });
    await tell(...runMessages(200), live(200));
    const resets = page.locator('.chart-reset:visible');
    const count = await page.locator('.chart').count();
    const zoom = async () => {
      await page.locator('.chart-plot').first().focus();
      await page.keyboard.press('End');
      for (let i = 0; i < 3; i++) await page.keyboard.press('+');
      await expect.poll(() => resets.count()).toBe(count);
    };
    await zoom();
    await tell({ type: 'events', run: 'a', events: [metricsEvent(201, 0.25)] }, live(201));
    expect(await resets.count()).toBe(count);
    await page.getByLabel('Axis').first().click();
    await page.getByRole('option', { name: 'time' }).click();
    await expect.poll(() => resets.count()).toBe(0);
    await page.getByLabel('Axis').first().click();
    await page.getByRole('option', { name: 'step' }).click();
    await zoom();
    const { snapshot } = packSnapshot(snapshotOf(runEvents(40)));
    await tell({ type: 'runs', runs: [runSummary('a'), runSummary('b')], shown: ['b'] });
    await tell({ type: 'snapshot', run: 'b', snapshot });
    await expect.poll(() => resets.count()).toBe(0);
    await tell(...runMessages(200));
    await expect.poll(() => page.locator('.chart').count()).toBe(count);
    expect(await resets.count()).toBe(0);
  });

  it('shows the zoomed part in a chart that comes with the first evaluation, too', async () => {
    const { page, tell } = await open({ width: 900 });
    await tell(...runMessages(40), live(40));
    const count = await page.locator('.chart').count();
    await page.locator('.chart-plot').first().focus();
    await page.keyboard.press('+');
    await expect.poll(() => page.locator('.chart-reset:visible').count()).toBe(count);
    await tell({ type: 'events', run: 'a', events: runEvents(50).filter(({ step }) => step > 40) }, live(50));
    await expect.poll(() => page.locator('.chart').count()).toBe(count + 1);
    await expect.poll(() => page.locator('.chart-reset:visible').count()).toBe(count + 1);
  });

  it('has the zoom of a run again when the page is loaded again, although the run is read later', async () => {
    const first = await open({ width: 900 });
    await first.tell(...runMessages(200));
    await first.page.locator('.chart-plot').first().focus();
    await first.page.keyboard.press('+');
    await expect.poll(() => first.page.locator('.chart-reset:visible').count()).toBeGreaterThan(0);
    const state = await first.page.evaluate(() => (globalThis as unknown as { kept(): unknown }).kept());
    await first.page.close();
    const { page, tell } = await open({ width: 900, state });
    await tell({ type: 'runs', runs: [runSummary('a')], shown: ['a'] });
    await settled(page);
    await tell(...runMessages(200));
    await expect.poll(() => page.locator('.chart-reset:visible').count()).toBeGreaterThan(0);
  });

  it('zooms to what is dragged over and shows all again on a double click', async () => {
    const { page, tell } = await open({ width: 900 });
    await tell(...runMessages(200));
    const box = (await page.locator('.chart-plot').first().boundingBox())!;
    const middle = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.4, middle);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, middle, { steps: 4 });
    await page.mouse.up();
    await settled(page);
    await page.mouse.move(box.x + box.width - 12, middle);
    await settled(page);
    const place = page.locator('.chart-place').first();
    const step = Number(/step (\d+)/.exec((await place.textContent())!)![1]);
    expect(step).toBeGreaterThan(100);
    expect(step).toBeLessThan(140);
    await page.mouse.dblclick(box.x + box.width - 12, middle);
    await settled(page);
    expect(await place.textContent()).toBe('step 200');
  });

  it('saves a chart as CSV and PNG, and shows it as a table', async () => {
    const { page, tell, said } = await open();
    await tell(...runMessages(200));
    const chart = page.locator('.chart').first();
    const choose = async (name: string) => {
      await chart.getByRole('button', { name: 'Chart actions' }).click();
      await chart.getByRole('menuitem', { name }).click();
    };
    await choose('Save as CSV…');
    const csv = (await said()).at(-1);
    expect(csv).toMatchObject({ type: 'save', name: 'loss.csv', format: 'csv' });
    expect((csv as { content: string }).content.split('\r\n')).toHaveLength(202);
    await choose('Save as PNG…');
    await page.waitForFunction(() =>
      (globalThis as unknown as { said: { format?: string }[] }).said.some(({ format }) => format === 'png'),
    );
    await choose('Show as table');
    await settled(page);
    expect(await chart.locator('tbody tr').count()).toBe(50);
    expect(await chart.locator('.table-note').textContent()).toBe('Rows 1–50 of 200');
    await chart.getByRole('button', { name: 'Next rows' }).click();
    expect(await chart.locator('tbody td').first().textContent()).toBe('51');
  });

  it('moves between tabs by arrow keys and draws the open one alone', async () => {
    const { page, tell } = await open();
    await tell(...runMessages(200));
    await page.getByRole('tab', { name: 'Curves' }).focus();
    await page.keyboard.press('ArrowRight');
    await settled(page);
    expect(await page.locator('[role=tab][aria-selected=true]').textContent()).toBe('Weights');
    expect(await page.locator('.curves').count()).toBe(0);
    await page.keyboard.press('ArrowLeft');
    await page.locator('.curves').waitFor();
  });

  it('lays a second run over the first one by the run picker', async () => {
    const { page, tell, said } = await open();
    await tell(...runMessages(100));
    await page.locator('.run-opener').click();
    await page.locator('.run-list input').nth(1).check();
    expect((await said()).at(-1)).toEqual({ type: 'show', runs: ['a', 'b'] });
    await page.keyboard.press('Escape');
    expect(await page.locator('.run-popup').isVisible()).toBe(false);
  });

  it('takes the colors of a new theme at once', async () => {
    const { page, tell } = await open();
    await tell(...runMessages(200));
    const stroke = () => page.locator('.swatch path').first().getAttribute('stroke');
    const dark = await stroke();
    await setTheme(page, 'light', true);
    await settled(page);
    expect(await stroke()).not.toBe(dark);
  });

  it('is not wider than a sidebar of 200 pixels', async () => {
    const { page, tell } = await open({ width: 200 });
    await tell(...runMessages(200), live(200));
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(200);
    const wide = await page.evaluate(() => {
      const scroller = document.querySelector('.scroller')!;
      return scroller.scrollWidth - scroller.clientWidth;
    });
    expect(wide).toBe(0);
  });

  it('reports a message of a wrong shape and goes on', async () => {
    const { tell, said, page } = await open();
    await tell({ type: 'snapshot', run: 'a', snapshot: {} } as never, ...runMessages(50));
    expect((await said()).filter(({ type }) => type === 'error')).toHaveLength(1);
    expect(await page.locator('.chart').count()).toBeGreaterThan(2);
  });

  it('draws a run of 1,000,000 points in a second, and keeps its spike', async () => {
    const { page, tell } = await open({ width: 1100 });
    await tell(runMessages(1)[0]);
    const draw = async () => {
      const length = 1_000_000;
      const fill = (value: (i: number) => number) => Float64Array.from({ length }, (_, i) => value(i));
      const step = fill((i) => i + 1);
      const loss = fill((i) => (i === 500_000 ? 42 : 1 / (1 + i / 1000)));
      const zero = new Float64Array(0);
      const columns = { step, time: step, epoch: step, loss, learningRate: fill(() => 0.01), stepsPerSecond: step };
      const snapshot = {
        metrics: { length, columns },
        distortions: { length: 0, columns: { step: zero, time: zero, lossBefore: zero, lossAfter: zero } },
        evaluations: [],
        weights: {},
        spectra: {},
        thinning: { weights: { recorded: 0, stride: 1 }, spectra: { recorded: 0, stride: 1 } },
        checkpoints: [],
        warnings: [],
        changes: [],
        thinnings: [],
      };
      const begin = performance.now();
      window.dispatchEvent(new MessageEvent('message', { data: { type: 'snapshot', run: 'a', snapshot } }));
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      return performance.now() - begin;
    };
    expect(await shortest(1000, () => page.evaluate(draw))).toBeLessThan(1000);
    await page.locator('.chart-plot').first().focus();
    await page.keyboard.press('End');
    expect(await page.locator('.chart-place').first().textContent()).toBe('step 1,000,000');
  });
});
