/** @file The page of a sensitivity report in a browser: what only a real one shows. */
import { describe, expect, it } from 'vitest';
import type { ToSensitivityPage } from '../../server/protocol/wire/sensitivity.ts';
import { sensitivityReport } from '../unit/webview/sensitivity/report.ts';
import { settled } from './dashboardPage.ts';
import { sensitivityOfTests } from './openedDashboard.ts';

const { open } = sensitivityOfTests();
const report: ToSensitivityPage = { type: 'report', name: '20261129-120000-lenet', report: sensitivityReport() };

describe('the page of a sensitivity report', () => {
  it('shows layers by settings, and breaks no rule of its security policy', async () => {
    const { said, tell, complaints, page } = await open({ width: 1000 });
    expect(await said()).toEqual([{ type: 'ready' }]);
    await tell(report);
    expect(await page.locator('h1').textContent()).toBe('Sensitivity of 20261129-120000-lenet');
    expect(await page.locator('.file-facts').textContent()).toBe(
      'accuracy 98.00% as it is · 1.06 MB · 5,000 samples of the validation split · final weights',
    );
    expect(await page.getByRole('row').count()).toBe(4);
    expect(await page.locator('.map-legend li').allTextContents()).toEqual([
      ...['drop ≤ 0.005', 'drop ≤ 0.02', 'drop ≤ 0.08', 'drop ≤ 0.32', 'drop > 0.32', 'not finite', 'suggested'],
    ]);
    expect(complaints.filter((text) => !text.includes('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='))).toEqual([]);
    expect((await said()).filter(({ type }) => type === 'error')).toEqual([]);
  });

  it('tells the values of a cell to the mouse, to keys and to screen readers', async () => {
    const { tell, page } = await open({ width: 1000 });
    await tell(report);
    const cell = page.getByRole('gridcell', {
      name: /^fc2, pruning rate 90%: accuracy 95\.65%, drop 0\.0235, 12\.0 kB/,
    });
    await cell.hover();
    await expect.poll(() => page.locator('.map-readout').textContent()).toContain('fc2, pruning rate 90%');
    await page.locator('tbody td').first().focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('End');
    await expect.poll(() => page.locator(':focus').getAttribute('aria-label')).toContain('fc2, rank 9');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    // The last layer has no third rank: the focus stays.
    await expect.poll(() => page.locator(':focus').getAttribute('aria-label')).toContain('fc3, rank 4');
    await expect.poll(() => page.locator('.map-readout').textContent()).toContain('fc3, rank 4');
  });

  it('has the suggestion written into the experiment file, and also where to start', async () => {
    const { tell, said, page } = await open({ width: 1000 });
    await tell(report);
    await page.getByText('fc1: pruning rate 80%, alone 0.0035').waitFor();
    await page.getByText('Together they cost 0.0044 (0.0071 if drops just added up)').waitFor();
    await page.getByRole('button', { name: 'Use These Settings' }).click();
    await expect.poll(async () => (await said()).at(-1)).toEqual({ type: 'use', startFromRun: false });
    await page.getByRole('button', { name: 'Use Them and Start From This Run' }).click();
    await expect.poll(async () => (await said()).at(-1)).toEqual({ type: 'use', startFromRun: true });
    await tell({ ...report, report: sensitivityReport({ run: undefined, weightsAre: 'start' }) });
    await expect.poll(() => page.getByRole('button', { name: /Start From/ }).count()).toBe(0);
  });

  it('says so where nothing is suggested', async () => {
    const { tell, page } = await open();
    await tell({ ...report, report: sensitivityReport({ suggestion: undefined }) });
    await page.getByText('Measure it again with a drop that you allow').waitFor();
    const { suggestion } = sensitivityReport();
    await tell({ ...report, report: sensitivityReport({ suggestion: { ...suggestion!, layers: [], compression: undefined } }) }); // prettier-ignore
    await page.getByText('No setting of any layer costs so little.').waitFor();
  });

  it('is saved as a table', async () => {
    const { tell, said, page } = await open();
    await tell(report);
    await page.getByRole('button', { name: 'Save as CSV…' }).click();
    await expect.poll(async () => (await said()).at(-1)).toMatchObject({ type: 'save', format: 'csv' });
    const saved = (await said()).at(-1);
    const lines = saved?.type === 'save' && saved.format === 'csv' ? saved.content.split('\r\n') : [];
    expect(lines[0]).toBe('layer,method,parameter,setting,accuracy,drop,bytes');
    expect(lines.length).toBe(sensitivityReport().cells.length + 2);
  });

  it('does not run over its sides in a narrow panel', async () => {
    const { tell, page } = await open({ width: 250 });
    await tell(report);
    await settled(page);
    expect(await page.locator('.sensitivity-body').evaluate((body) => body.scrollWidth - body.clientWidth)).toBe(0);
  });
});
