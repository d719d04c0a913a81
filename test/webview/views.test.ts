import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunSummary } from '../../server/protocol/wire/dashboard.ts';
import { packSnapshot } from '../../server/protocol/wire/packSnapshot.ts';
import { launchBrowser } from '../../scripts/editor/workbench.js';
import { bundleDashboard, openDashboard, settled } from './dashboardPage.ts';
import { latency } from '../unit/webview/latency.ts';
import { exportedFile } from '../unit/webview/exportedFile.ts';
import { compressedEvents, distortion, snapshotOf } from '../unit/webview/runFixture.ts';

const key = '/runs/a';
const summary: RunSummary = {
  key,
  id: 'a',
  name: 'prune',
  experiment: 'prune.deeptwist.jsonc',
  overrides: [],
  state: 'running',
  created: 0,
};
const other: RunSummary = { ...summary, key: '/runs/b', id: 'b', name: 'other', overrides: ['training.steps=50'] };

let browser: Awaited<ReturnType<typeof launchBrowser>>;
let bundle: Awaited<ReturnType<typeof bundleDashboard>>;
beforeAll(async () => {
  [browser, bundle] = await Promise.all([launchBrowser(), bundleDashboard()]);
});
afterAll(() => browser?.close());

describe('the views in a browser', () => {
  it('Weights: the slider follows the newest distortion until it is moved, by keys too', async () => {
    const { page, tell } = await show('weights', [10, 20, 30]);
    const place = page.locator('.timeline output');
    expect(await place.textContent()).toBe('step 30 (3 of 3)');
    await tell({ type: 'events', run: key, events: [distortion(40)] });
    expect(await place.textContent()).toBe('step 40 (4 of 4)');

    await page.locator('.timeline input[type=range]').focus();
    await page.keyboard.press('Home');
    await settled(page);
    expect(await place.textContent()).toBe('step 10 (1 of 4)');
    expect(await page.locator('.chart-summary').first().textContent()).toBe(
      'near zero 3 → 0 · zeros 0 → 10 · pruning rate 10% · relative error 10%',
    );
    await tell({ type: 'events', run: key, events: [distortion(50)] });
    expect(await place.textContent()).toBe('step 10 (1 of 5)');
    await page.close();
  });

  it('Weights: two recordings of one step are one place of the slider, which goes on from there', async () => {
    const { page } = await show('weights', [10, 20, 20, 30]);
    const place = page.locator('.timeline output');
    await page.locator('.timeline input[type=range]').focus();
    await page.keyboard.press('Home');
    for (const expected of ['step 20 (2 of 3)', 'step 30 (3 of 3)']) {
      await page.getByRole('button', { name: 'Next distortion' }).click();
      await settled(page);
      expect(await place.textContent()).toBe(expected);
    }
    await page.close();
  });

  it('Weights: levels that all buckets share are drawn between the ends of these, and move with the slider', async () => {
    const { page, tell, said } = await show('weights', [10, 20]);
    const chart = page.locator('.chart[aria-label="fc1/kernel: levels in each bucket"]:visible');
    expect(await chart.count()).toBe(0);
    const events = [30, 40].map((step) => {
      const event = distortion(step);
      if (event.type !== 'distortion') throw new TypeError('No distortion.');
      const scaledLevels = { levels: [step / 100, 0.9], counts: [1, 2, 3] };
      return { ...event, weights: event.weights.map((weight) => ({ ...weight, scaledLevels })) };
    });
    await tell({ type: 'events', run: key, events });
    expect(await chart.locator('.chart-summary').textContent()).toMatch(/2 levels$/);
    await chart.getByRole('button', { name: 'Chart actions' }).click();
    await page.getByRole('menuitem', { name: 'Save as CSV…' }).click();
    const saved = (await said()).find((message) => message.type === 'save');
    expect(saved).toMatchObject({ name: 'fc1-kernel-levels-in-each-bucket.csv' });
    await page.locator('.timeline input[type=range]').focus();
    await page.keyboard.press('Home');
    await settled(page);
    expect(await chart.count()).toBe(0);
    await page.close();
  });

  it('Weights: a ridge is read by keys, and Enter goes to its step', async () => {
    const { page } = await show('weights', [10, 20, 30]);
    const plot = page.locator('.ridge-plot').first();
    await plot.focus();
    for (const press of ['Home', 'ArrowDown']) await page.keyboard.press(press);
    await settled(page);
    const spoken = plot.locator('xpath=..').locator('.visually-hidden[aria-live]');
    expect(await spoken.textContent()).toMatch(/^step 20, weight .+: 20$/);
    await page.keyboard.press('Enter');
    await settled(page);
    expect(await page.locator('.timeline output').textContent()).toBe('step 20 (2 of 3)');
    await page.close();
  });

  it('Weights: the ridges are saved as CSV with every count', async () => {
    const { page, said } = await show('weights', [10, 20]);
    await page.getByRole('button', { name: 'Chart actions' }).nth(1).click();
    await page.getByRole('menuitem', { name: 'Save as CSV…' }).click();
    const saved = (await said()).find((message) => message.type === 'save');
    expect(saved).toMatchObject({ name: 'fc1-kernel-after-each-distortion.csv', format: 'csv' });
    expect(String(saved?.content).trim().split('\r\n')).toHaveLength(1 + 2 * 3);
    await page.close();
  });

  it('Layers: a weight is shown in the experiment file on demand; columns sort; its name leads to its histogram', async () => {
    const { page, said } = await show('layers', [10]);
    await page.getByRole('button', { name: 'Show fc2/kernel in the experiment file' }).click();
    expect(await said()).toContainEqual({
      type: 'revealLayer',
      run: key,
      weight: 'fc2/kernel',
      compressed: true,
      key: 'fc*',
    });
    const first = page.locator('.layers-table tbody th').first();
    expect(await first.textContent()).toBe('fc1/kernel');
    // Up, then down.
    await page.getByRole('button', { name: 'Weight', exact: true }).click();
    await page.getByRole('button', { name: 'Weight', exact: true }).click();
    expect(await first.textContent()).toBe('fc2/kernel');
    expect(await page.locator('th[aria-sort=descending]').textContent()).toBe('Weight');
    await page.getByRole('button', { name: 'fc2/kernel', exact: true }).click();
    await settled(page);
    expect(await page.getByRole('tab', { selected: true }).textContent()).toBe('Weights');
    expect(
      await page
        .locator('vscode-dropdown')
        .first()
        .evaluate((list) => (list as unknown as { value: string }).value),
    ).toBe('fc2/kernel');
    await page.close();
  });

  it('Spectrum: start, middle and now, another step on demand, and what they come to', async () => {
    const { page } = await show('spectrum', [10, 20, 30, 40, 50]);
    expect(await page.locator('.chip').allTextContents()).toEqual(['Step 10', 'Step 30', 'Step 50']);
    expect(await page.locator('.chart-summary').first().textContent()).toMatch(/^Rank 1 keeps .+ → .+ of the energy/);
    await page.locator('.chip').nth(1).click();
    await settled(page);
    expect(await page.locator('.chip').allTextContents()).toEqual(['Step 10', 'Step 50']);
    await page.getByRole('button', { name: 'Start, middle, now' }).click();
    await settled(page);
    expect(await page.locator('.chip').count()).toBe(3);
    await page.close();
  });

  it('Compare: says how to choose runs, then where they differ', async () => {
    const { page, tell } = await show('compare', [10]);
    expect(await page.locator('.compare .view-empty').textContent()).toMatch(/one run is shown.*Check more runs/s);
    await tell(
      { type: 'runs', runs: [summary, other], shown: [key, other.key] },
      snapshotMessage(key, [10], 100),
      snapshotMessage(other.key, [10], 50),
    );
    const heads = page.locator('.comparison-table thead th');
    expect((await heads.allTextContents()).at(-1)).toBe('steps');
    const column = (await heads.count()) - 1;
    const cells = page.locator(`.comparison-table tbody tr > :nth-child(${column + 1})`);
    expect(await cells.allTextContents()).toEqual(['100', '50']);
    await page.locator('.comparison-table').getByRole('button', { name: 'steps' }).click();
    expect(await cells.allTextContents()).toEqual(['50', '100']);
    expect(await page.locator('.compare .view-empty').isVisible()).toBe(false);
    // A row that is not drawn is in no chart.
    const legend = page.locator('.compare .chart-grid .legend').first().getByRole('button');
    const drawn = await legend.count();
    await page.getByRole('checkbox', { name: 'Draw other' }).uncheck();
    await settled(page);
    expect(await legend.count()).toBe(drawn / 2);
    const dot = page.getByRole('button', { name: 'Another colour for prune' });
    const color = () => dot.evaluate((button) => getComputedStyle(button).backgroundColor);
    const before = await color();
    await dot.click();
    expect(await color()).not.toBe(before);
    await page.close();
  });

  it('Files: exports a finished run, tells what was measured on each file, and shows where it is', async () => {
    const { page, said, tell } = await show('files', [10]);
    const exporting = page.locator('.files-head').getByText('Export model…');
    expect(await exporting.isVisible()).toBe(false);
    expect(await page.locator('.files > .view-note').textContent()).toMatch(/when its run has finished/);
    await tell({ type: 'runs', runs: [{ ...summary, state: 'finished' }], shown: [key] });
    await exporting.click();
    expect(await said()).toContainEqual({ type: 'command', command: 'exportModel', run: key });

    const gone = exportedFile({ path: '/project/old.onnx', isThere: false });
    await tell({ type: 'exports', run: key, files: [exportedFile(), gone] });
    const [newest, older] = await page.locator('.exported-file').all();
    expect(await newest.locator('dd').first().textContent()).toBe('28.2 kB 37.8x smaller than 1.07 MB of floats');
    expect(await newest.locator('tbody tr').allTextContents()).toEqual([
      'fc1/kernelsparse17.3 kB',
      'fc1/biasdense1.20 kB',
    ]);
    expect(await newest.locator('table').isVisible()).toBe(true);
    expect(await older.locator('table').isVisible()).toBe(false);
    expect(await older.locator('.view-note').textContent()).toMatch(/no longer there/);
    expect(await older.getByRole('button').count()).toBe(0);
    await newest.getByRole('button', { name: 'mnist.onnx' }).click();
    expect(await said()).toContainEqual({ type: 'revealExport', run: key, path: '/project/mnist.onnx' });

    await page.locator('.files-head').getByText('Measure latency').click();
    expect(await said()).toContainEqual({ type: 'command', command: 'measureLatency', run: key });
    const leftOut = [{ format: 'onnx', dense: false, reason: 'A reason.' }];
    await tell({ type: 'exports', run: key, files: [exportedFile(), gone], latency: latency({ leftOut }) });
    const table = page.locator('.latency');
    expect(await table.locator('tbody tr').allTextContents()).toEqual([
      'Dense modelONNX Runtime0.0207 ms–0.0229 ms0.0892 ms0.0951 ms1.07 MB96.4 MB1.07 MB',
      'Packed Safetensorsdeeptwist/runtime0.00287 ms7.21x0.00371 ms0.0775 ms0.0828 ms26.6 kB65.2 MB24.9 kB',
    ]);
    expect(await table.locator('.view-note').allTextContents()).toEqual([
      expect.stringMatching(/^Measured .* in Node.js 20.19.0 on one thread, A processor$/),
      'ONNX was not measured: A reason.',
    ]);

    // What was opened and closed by hand stays so when a file comes.
    await newest.getByText('Weights in the file').click();
    await older.getByText('Weights in the file').click();
    await tell({ type: 'exports', run: key, files: [exportedFile({ path: '/new.onnx' }), exportedFile(), gone] });
    const tables = page.locator('.exported-file table');
    expect(await Promise.all([0, 1, 2].map((i) => tables.nth(i).isVisible()))).toEqual([true, false, true]);
    await page.close();
  });

  it('fit into a sidebar of 200 pixels', async () => {
    for (const tab of ['weights', 'spectrum', 'layers', 'files', 'compare']) {
      const { page, tell } = await show(tab, [10, 20, 30], 200);
      await tell({ type: 'exports', run: key, files: [exportedFile()] });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, tab).toBeLessThanOrEqual(0);
      await page.close();
    }
  });
});

/** Opens the page on a tab, with a run of distortions at these steps. */
async function show(tab: string, steps: readonly number[], width = 900) {
  const opened = await openDashboard(browser, bundle, { width });
  await opened.tell({ type: 'runs', runs: [summary], shown: [key] }, snapshotMessage(key, steps, 100));
  await opened.page.locator(`#tab-${tab}`).click();
  await settled(opened.page);
  return opened;
}

function snapshotMessage(run: string, steps: readonly number[], length: number) {
  const { snapshot } = packSnapshot(snapshotOf(compressedEvents(steps, length)));
  return { type: 'snapshot', run, snapshot } as const;
}
