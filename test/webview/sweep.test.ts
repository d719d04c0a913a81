/** @file The page of a sweep in a browser: what only a real one shows. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { SweepSearch, SweptRunRow, ToSweepPage } from '../../server/protocol/wire/sweep.ts';
import { sweptRow, sweptRows } from '../unit/webview/sweep/sweptRows.ts';
import { settled } from './dashboardPage.ts';
import { sweepOfTests } from './openedDashboard.ts';

const { open } = sweepOfTests();

const sweepOf = (rows: readonly SweptRunRow[], isTrusted = true): ToSweepPage => ({
  type: 'sweep',
  sweep: { id: '20261129-120000-lenet', path: '/w/.deeptwist/sweeps/20261129-120000-lenet', experiment: '/w/lenet.deeptwist.jsonc', size: rows.length, rows }, // prettier-ignore
  isTrusted,
});
const rates = [0.5, 0.8, 0.9, 0.95, 0.98];
const sweep = sweepOf(sweptRows(rates, [1, 2]));
/** The rates of the rows that the table shows, from top to bottom. */
const shown = (page: Page) => page.locator('.rows-table tbody th').allTextContents();
const filter = (page: Page) => page.getByRole('searchbox', { name: 'Filter' });

describe('the page of a sweep', () => {
  it('shows its runs best first, seeds together, and breaks no rule of its security policy', async () => {
    const { said, tell, complaints, page } = await open({ width: 1200 });
    expect(await said()).toEqual([{ type: 'ready' }]);
    await tell(sweep);
    await expect.poll(() => shown(page)).toEqual(['0.5best', '0.8', '0.9', '0.95', '0.98']);
    expect(await page.locator('h1').textContent()).toBe('20261129-120000-lenet');
    expect(await page.locator('.file-facts').textContent()).toBe(
      '10 of 10 runs finished · best test accuracy 98.85% ± 0.64',
    );
    await page.getByRole('application', { name: /^Size vs\. metric/ }).waitFor();
    await page.getByRole('rowheader', { name: 'rate' }).first().waitFor();
    // A component of the toolkit sets an empty style attribute, which is refused and does nothing.
    expect(complaints.filter((text) => !text.includes('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='))).toEqual([]);
    expect((await said()).filter(({ type }) => type === 'error')).toEqual([]);
  });

  it('shows the seeds of a row below it, by the keyboard too, and each run by itself', async () => {
    const { tell, page } = await open({ width: 1200 });
    await tell(sweep);
    await page.getByRole('button', { name: 'Show the seeds of rate 0.9', exact: true }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => shown(page)).toEqual(['0.5best', '0.8', '0.9', '0.9', '0.9', '0.95', '0.98']);
    await expect.poll(() => page.locator(':focus').getAttribute('aria-expanded')).toBe('true');
    await page.getByText('Take seeds together').click();
    await expect.poll(async () => (await shown(page)).length).toBe(10);
    await page.getByRole('columnheader', { name: 'seed' }).waitFor();
  });

  it('filters by an expression, in all of its views, and says what is wrong with one', async () => {
    const { tell, page } = await open({ width: 1200 });
    await tell(sweep);
    await filter(page).fill('rate > 0.85 and bytes < 60');
    await expect.poll(() => shown(page)).toEqual(['0.95best', '0.98']);
    await page.getByText('2 of 5 rows').waitFor();
    await page.getByText('2 of 2 rows are Pareto-optimal in size and metric.').waitFor();
    await filter(page).fill('rats > 1');
    await page.getByText('There is no column "rats", but rate, seed').waitFor();
    await expect.poll(async () => (await shown(page)).length).toBe(5);
  });

  it('filters by a brush on an axis, with the keyboard and the pointer, and by its chip no longer', async () => {
    const { tell, page } = await open({ width: 1200 });
    await tell(sweep);
    const axis = page.getByRole('slider', { name: /^rate:/ });
    await axis.focus();
    for (let i = 0; i < 14; i++) await page.keyboard.press('ArrowUp');
    await expect.poll(() => shown(page)).toEqual(['0.9best', '0.95', '0.98']);
    await expect.poll(() => axis.getAttribute('aria-valuetext')).toBe('0.836 to 0.98');
    await page.keyboard.press('Delete');
    await expect.poll(async () => (await shown(page)).length).toBe(5);
    const box = (await axis.boundingBox())!;
    await page.mouse.move(box.x + 11, box.y + box.height - 2);
    await page.mouse.down();
    await page.mouse.move(box.x + 11, box.y + box.height * 0.5, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => shown(page)).toEqual(['0.5best']);
    await page.getByRole('button', { name: /^rate: 0\.5\d* to 0\.7\d* ×$/ }).click();
    await expect.poll(async () => (await shown(page)).length).toBe(5);
  });

  it('sorts by a heading, and says so to screen readers', async () => {
    const { tell, page } = await open({ width: 1200 });
    await tell(sweep);
    const bytes = page.getByRole('columnheader', { name: 'bytes' });
    await bytes.getByRole('button').click();
    await expect.poll(() => shown(page)).toEqual(['0.98', '0.95', '0.9', '0.8', '0.5best']);
    await expect.poll(() => bytes.getAttribute('aria-sort')).toBe('ascending');
    await page.keyboard.press('Enter');
    await expect.poll(() => bytes.getAttribute('aria-sort')).toBe('descending');
    await page.keyboard.press('Enter');
    await expect.poll(() => bytes.getAttribute('aria-sort')).toBeNull();
  });

  it('pins runs and writes notes, which the editor keeps', async () => {
    const { tell, said, page } = await open({ width: 1200 });
    await tell(sweep);
    await page.getByRole('button', { name: 'Pin rate 0.98' }).click();
    const runs = ['/runs/s.9', '/runs/s.10'];
    await expect.poll(async () => (await said()).at(-1)).toEqual({ type: 'note', runs, change: { pinned: true } });
    const note = { pinned: true, text: '' };
    await tell(sweepOf(sweptRows(rates, [1, 2]).map((row) => (row.line > 8 ? { ...row, note } : row))));
    await expect.poll(() => shown(page)).toEqual(['0.98', '0.5best', '0.8', '0.9', '0.95']);
    await page.getByRole('button', { name: 'Add a note to rate 0.98' }).click();
    await page.getByRole('textbox', { name: 'Note of rate 0.98' }).fill('small enough');
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await said()).at(-1)).toEqual({ type: 'note', runs, change: { text: 'small enough' } }); // prettier-ignore
  });

  it('shows each note of the seeds of a row, and changes the one that is edited alone', async () => {
    const { tell, said, page } = await open({ width: 1200 });
    const texts = ['', 'diverged', 'the best', 'diverged'];
    const rows = sweptRows([0.5], [1, 2, 3, 4]).map((row, i) => ({
      ...row,
      note: { pinned: i === 2, text: texts[i] },
    }));
    await tell(sweepOf(rows));
    const both = page.getByRole('button', { name: 'Notes of rate 0.5: diverged · the best.' });
    await both.click();
    await expect.poll(() => both.getAttribute('aria-expanded')).toBe('true');
    await page.getByRole('button', { name: /^Note of .*: the best$/ }).click();
    await page.getByRole('textbox', { name: /^Note of/ }).fill('second best');
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await said()).at(-1)).toEqual({ type: 'note', runs: ['/runs/s.3'], change: { text: 'second best' } }); // prettier-ignore
    await tell(sweepOf(rows.map((row, i) => (i === 2 ? { ...row, note: undefined } : row))));
    await page.getByRole('button', { name: 'Note of rate 0.5: diverged', exact: true }).first().click();
    await page.getByRole('textbox', { name: /^Note of/ }).fill('');
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await said()).at(-1)).toEqual({ type: 'note', runs: ['/runs/s.2', '/runs/s.4'], change: { text: '' } }); // prettier-ignore
  });

  it('hides columns, and remembers that, the filter and the order', async () => {
    const first = await open({ width: 1200 });
    await first.tell(sweep);
    await first.page.getByText('Columns').click();
    await first.page.getByRole('checkbox', { name: 'bytes', exact: true }).uncheck();
    await filter(first.page).fill('rate >= 0.9');
    await first.page.getByRole('columnheader', { name: 'rate' }).getByRole('button').click();
    await first.page.getByRole('columnheader', { name: 'rate' }).getByRole('button').click();
    await expect.poll(() => shown(first.page)).toEqual(['0.98', '0.95', '0.9best']);
    await expect.poll(() => first.page.getByRole('slider', { name: /^bytes/ }).count()).toBe(0);
    const state = await first.page.evaluate(() => (globalThis as unknown as { kept(): unknown }).kept());
    expect(state).toMatchObject({ path: '/w/.deeptwist/sweeps/20261129-120000-lenet' });
    await first.page.close();
    const { tell, page } = await open({ width: 1200, state });
    await tell(sweep);
    await expect.poll(() => shown(page)).toEqual(['0.98', '0.95', '0.9best']);
    expect(await page.getByRole('columnheader', { name: 'bytes' }).count()).toBe(0);
  });

  it('has the values of a row used, and runs opened in the dashboard', async () => {
    const { tell, said, page } = await open({ width: 1200 });
    await tell(sweep);
    await page.getByRole('button', { name: 'Use These Values' }).click();
    await expect.poll(async () => (await said()).at(-1)).toEqual({ type: 'use', run: '/runs/s.1' });
    await page.getByRole('button', { name: 'Actions for rate 0.9', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Use These Values' }).click();
    await expect.poll(async () => (await said()).at(-1)).toEqual({ type: 'use', run: '/runs/s.5' });
    await page.getByRole('checkbox', { name: 'Choose rate 0.8', exact: true }).check();
    await page.getByRole('button', { name: 'Open in Dashboard' }).click();
    await expect.poll(async () => (await said()).at(-1)).toEqual({ type: 'open', runs: ['/runs/s.3', '/runs/s.4'] });
  });

  it('goes on with a sweep that is not finished, where the workspace is trusted', async () => {
    const { tell, said, page } = await open();
    const rows = [...sweptRows([0.5], [1]), sweptRow(2, ['x=1'], { state: 'failed', problem: 'It broke.' })];
    await tell(sweepOf(rows));
    await page.getByText('1 of 2 runs finished · 1 failed').waitFor();
    await page.locator('.is-problem[title="It broke."]').waitFor();
    await page.getByRole('button', { name: 'Continue Sweep' }).click();
    await expect.poll(async () => (await said()).at(-1)).toEqual({ type: 'continue' });
    await tell(sweepOf(rows, false));
    await expect.poll(() => page.getByRole('button', { name: 'Continue Sweep' }).count()).toBe(0);
  });

  it('makes only the rows that are seen of a thousand, and others as they are scrolled to', async () => {
    const { tell, page } = await open({ width: 1200 });
    const many = Array.from({ length: 1000 }, (_, i) => (i + 1) / 1001);
    await tell(sweepOf(sweptRows(many, [1])));
    await expect.poll(() => page.locator('.rows-table').getAttribute('aria-rowcount')).toBe('1001');
    expect((await shown(page)).length).toBeLessThan(100);
    await page.locator('.rows-scroll').evaluate((scroll) => (scroll.scrollTop = scroll.scrollHeight));
    await expect.poll(async () => (await shown(page)).at(-1)).toBe(String(1000 / 1001));
    await filter(page).fill('rate < 0.01');
    await expect.poll(async () => (await shown(page)).length).toBe(10);
  });

  it('tells in place of its views why a sweep is not shown, and shows it once it is there', async () => {
    const { tell, page } = await open();
    await tell({ type: 'problem', message: 'x is damaged.', remedy: 'Start it again.' });
    await expect.poll(() => page.getByRole('alert').textContent()).toBe('x is damaged.Start it again.');
    await tell(sweep);
    await expect.poll(() => page.getByRole('alert').count()).toBe(0);
    await expect.poll(async () => (await shown(page)).length).toBe(5);
  });

  it('does not run over its sides in a narrow panel', async () => {
    const { tell, page } = await open({ width: 250 });
    await tell(sweep);
    await settled(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(250);
    expect(await page.locator('.sweep-body').evaluate((body) => body.scrollWidth - body.clientWidth)).toBe(0);
  });

  it('sets a row off in the charts by the keyboard', async () => {
    const { tell, page } = await open({ width: 1200 });
    await tell(sweep);
    await page.getByRole('button', { name: 'rate 0.9: set off in the charts' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('.rows-table tr.is-selected', { hasText: '0.9' }).waitFor();
    await expect.poll(() => page.locator(':focus').getAttribute('aria-pressed')).toBe('true');
    await page.getByRole('button', { name: 'chosen' }).first().waitFor();
  });

  it('shows how far the runs under way are, without drawing anything else anew', async () => {
    const { tell, page } = await open({ width: 1200 });
    await tell(
      sweepOf([...sweptRows([0.5], [1]), sweptRow(2, ['compression.layers.fc1.rate=0.9'], { state: 'running' })]),
    );
    await tell({ type: 'progress', runs: [{ run: '/runs/s.2', text: '43% · 97.10%' }] });
    await page.getByRole('cell', { name: 'running · 43% · 97.10%' }).waitFor();
  });

  it('shows a search with its target, and what it has found as the row whose values are used', async () => {
    const { tell, said, page } = await open({ width: 1200 });
    const rows = sweptRows(rates, [1]);
    const message = (search: SweepSearch): ToSweepPage => {
      const told = sweepOf(rows);
      return told.type === 'sweep' ? { ...told, sweep: { ...told.sweep, search } } : told;
    };
    await tell(message({ target: '{ "maxDrop": 0.01 }' }));
    await page.getByText('5 runs finished · target { "maxDrop": 0.01 }').waitFor();
    await page.getByRole('button', { name: 'Continue Search' }).click();
    await expect.poll(async () => (await said()).at(-1)).toEqual({ type: 'continue' });
    expect(await page.getByRole('button', { name: 'Use These Values' }).count()).toBe(0);
    const best = { run: 's.4', value: 0.98, drop: 0.01, bytes: 50, ratio: 20 };
    await tell(message({ target: '{ "maxDrop": 0.01 }', result: { isMet: true, metric: 'accuracy', best } }));
    await expect.poll(() => shown(page)).toContain('0.95best');
    await page.getByRole('button', { name: 'Use These Values' }).click();
    await expect.poll(async () => (await said()).at(-1)).toEqual({ type: 'use', run: '/runs/s.4' });
    expect(await page.getByRole('button', { name: 'Continue Search' }).count()).toBe(0);
  });
});
