/** @file The page of a model file in a browser: what only a real one shows. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { ShownFile, ToModelFilePage } from '../../server/protocol/wire/modelFile.ts';
import { shownFile } from '../unit/webview/modelFile/shownFile.ts';
import { modelFileOfTests } from './openedDashboard.ts';

const { open } = modelFileOfTests();

const file: ToModelFilePage = { type: 'file', file: shownFile() };
const statistics = (tensor: number, zeros: number, mean: number): ToModelFilePage => ({
  type: 'statistics',
  tensor,
  statistics: { zeros, notFinite: 0, minimum: -1, maximum: 1, mean, deviation: 0.5 },
});
const numbers: readonly ToModelFilePage[] = [statistics(0, 3, 0.25), statistics(1, 0, -2), statistics(2, 230_000, 0.5)];
const histogram: ToModelFilePage = {
  type: 'histogram',
  tensor: 2,
  histogram: { minimum: -1, maximum: 1, zeros: 2, counts: Float64Array.of(5, 2, 3) },
};
const names = (page: Page) => page.locator('tbody th').allTextContents();
const cells = (page: Page, name: string) => page.getByRole('row', { name }).getByRole('cell').allTextContents();
/** A table of 5,000 tensors of 10 MB. */
const many: ShownFile = {
  ...shownFile(),
  bytes: 5e10,
  tensors: Array.from({ length: 5000 }, (_, i) => ({ ...shownFile().tensors[1], name: `layer${i}`, bytes: 1e7 })),
};

describe('the page of a model file', () => {
  it('asks for the file, then for its numbers, and breaks no rule of its security policy', async () => {
    const { said, tell, complaints, page } = await open({ width: 1200 });
    expect(await said()).toEqual([{ type: 'ready' }]);
    await tell(file);
    await expect.poll(async () => (await said()).at(-1)).toEqual({ type: 'wanted', statistics: [0, 1, 2] });
    await tell(...numbers);
    await expect
      .poll(() => cells(page, 'fc1/kernel'))
      .toEqual([...['784 × 300', 'float32', 'sparse', '235,200', '4.00 kB', '97.8%', '−1', '1', '0.5', '0.5']]);
    expect(await page.locator('h1').textContent()).toBe('x.safetensors');
    expect(await page.locator('.file-facts').textContent()).toBe(
      'packed safetensors · 4.50 kB · 4 tensors · 235,211 elements',
    );
    expect(await cells(page, 'names')).toContain('not read');
    // A component of the toolkit sets an empty style attribute, which is refused and does nothing.
    expect(complaints.filter((text) => !text.includes('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='))).toEqual([]);
    expect((await said()).filter(({ type }) => type === 'error')).toEqual([]);
  });

  it('sorts by a heading, with the keyboard too, and says so to screen readers', async () => {
    const { tell, page } = await open({ width: 1200 });
    await tell(file, ...numbers);
    const inFile = await names(page);
    const zeros = page.getByRole('columnheader', { name: 'Zeros' });
    await zeros.getByRole('button').click();
    await expect.poll(() => names(page)).toEqual(['fc1/kernel', 'conv.weight', 'fc1/bias', 'names']);
    await expect.poll(() => zeros.getAttribute('aria-sort')).toBe('descending');
    await page.keyboard.press('Enter');
    await expect.poll(() => names(page)).toEqual(['fc1/bias', 'conv.weight', 'fc1/kernel', 'names']);
    await expect.poll(() => zeros.getAttribute('aria-sort')).toBe('ascending');
    await page.keyboard.press('Enter');
    await expect.poll(() => names(page)).toEqual(inFile);
    await expect.poll(() => zeros.getAttribute('aria-sort')).toBeNull();
  });

  it('finds tensors by name, and remembers what was searched, sorted and chosen', async () => {
    const first = await open();
    await first.tell(file);
    await first.page.getByRole('searchbox').fill('FC1');
    await expect.poll(() => names(first.page)).toEqual(['fc1/bias', 'fc1/kernel']);
    await first.page.getByRole('button', { name: 'Bytes' }).click();
    await first.page.getByRole('button', { name: 'fc1/bias' }).click();
    await expect.poll(() => names(first.page)).toEqual(['fc1/kernel', 'fc1/bias']);
    const state = await first.page.evaluate(() => (globalThis as unknown as { kept(): unknown }).kept());
    await first.page.close();
    const { page, tell } = await open({ state });
    await tell(file);
    await expect.poll(() => names(page)).toEqual(['fc1/kernel', 'fc1/bias']);
    await expect.poll(() => page.locator('h2').textContent()).toBe('fc1/bias');
    await page.getByRole('searchbox').fill('nothing');
    await page.getByText('No tensor has a name with this text.').waitFor();
  });

  it('shows the histogram of the tensor that is chosen, and its spectrum on demand', async () => {
    const { tell, said, page } = await open({ width: 1200 });
    await tell(file, ...numbers);
    await page.getByRole('button', { name: 'fc1/kernel' }).click();
    await expect.poll(async () => (await said()).at(-1)).toEqual({ type: 'wanted', statistics: [], histogram: 2 });
    await tell(histogram);
    const chart = page.getByRole('application', { name: /^Histogram\./ });
    await chart.waitFor();
    await chart.focus();
    await page.keyboard.press('Home');
    await page.getByText(/^value .*, count 5$/).waitFor({ state: 'attached' });
    await page.getByRole('button', { name: 'Compute spectrum' }).click();
    await expect.poll(async () => (await said()).at(-1)).toEqual({ type: 'computeSpectrum', tensor: 2 });
    await page.getByText('Computing the singular values of 300 × 784…').waitFor();
    await tell({ type: 'spectrum', tensor: 2, singularValues: Float64Array.of(3, 1) });
    await page.getByText('90% of the energy is in the first 1 of 2 values.').waitFor();
  });

  it('shows all of another tensor after a zoom, and of the same one still what was zoomed to', async () => {
    const { tell, page } = await open({ width: 1200 });
    const other: ToModelFilePage = { type: 'statistics', tensor: 0, statistics: { ...{ zeros: 0, notFinite: 0, mean: 5.5, deviation: 0.5 }, minimum: 5, maximum: 6 } }; // prettier-ignore
    await tell(file, ...numbers.slice(1), other);
    await page.getByRole('button', { name: 'fc1/kernel', exact: true }).click();
    await tell(histogram);
    const reset = page.locator('.chart-reset:visible');
    await page.getByRole('application', { name: /^Histogram\./ }).focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press('+');
    await expect.poll(() => reset.count()).toBe(1);
    await tell(statistics(2, 230_000, 0.4));
    expect(await reset.count()).toBe(1);
    const [first] = shownFile().tensors;
    await page.getByRole('button', { name: first.name, exact: true }).click();
    await tell({ type: 'histogram', tensor: 0, histogram: { minimum: 5, maximum: 6, zeros: 0, counts: Float64Array.of(1, 2) } }); // prettier-ignore
    await expect.poll(() => reset.count()).toBe(0);
  });

  it('cancels a spectrum when asked, and when another tensor is chosen; tells why there is none', async () => {
    const { tell, said, page } = await open({ width: 1200 });
    await tell(file, ...numbers, histogram, { ...histogram, tensor: 0 });
    await page.getByRole('button', { name: 'fc1/kernel' }).click();
    await page.getByRole('button', { name: 'Compute spectrum' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await expect.poll(async () => (await said()).at(-1)).toEqual({ type: 'computeSpectrum' });
    await page.getByRole('button', { name: 'Compute spectrum' }).click();
    await page.getByRole('button', { name: 'conv.weight' }).click();
    await expect.poll(async () => (await said()).at(-1)).toEqual({ type: 'computeSpectrum' });
    await page.getByRole('button', { name: 'Compute spectrum' }).click();
    await tell({ type: 'spectrumProblem', tensor: 0, message: 'It is too large.' });
    await page.getByText('It is too large.').waitFor();
    await page.getByRole('button', { name: 'Compute spectrum' }).waitFor();
  });

  it('tells in place of the table why a file is not shown, and shows it once it is there', async () => {
    const { tell, page } = await open();
    await tell(file, { type: 'problem', message: 'x is cut off.', remedy: 'Download it again.' });
    const notice = page.getByRole('alert');
    await expect.poll(() => notice.textContent()).toBe('x is cut off.Download it again.');
    await expect.poll(() => page.locator('main').isHidden()).toBe(true);
    await tell(file);
    await expect.poll(() => page.locator('main').isVisible()).toBe(true);
    expect(await notice.first().isHidden()).toBe(true);
  });

  it('shows what a file says of itself as text', async () => {
    const { tell, page } = await open();
    await tell(file);
    await page.getByText('Metadata (2)').click();
    await expect.poll(() => page.locator('.metadata dd').allTextContents()).toEqual(['pt', '<img src=x>']);
    expect(await page.locator('img').count()).toBe(0);
  });

  it('asks for the rows of a large file that are seen, and shows 500 of 5,000 at first', async () => {
    const { tell, said, page } = await open();
    await tell({ type: 'file', file: many });
    const asked = async () => {
      const last = (await said()).findLast((message) => message.type === 'wanted');
      return last?.statistics ?? [];
    };
    await expect.poll(async () => (await asked()).length).toBeGreaterThan(5);
    await expect.poll(asked).toContain(0);
    expect((await asked()).length).toBeLessThan(100);
    await page.getByRole('button', { name: 'layer400', exact: true }).scrollIntoViewIfNeeded();
    await expect.poll(asked).toContain(400);
    await expect.poll(asked).not.toContain(0);
    await page.getByText('500 of 5,000 tensors are shown.').waitFor();
    await page.getByRole('button', { name: 'Show more' }).click();
    await expect.poll(() => page.locator('tbody tr').count()).toBe(1000);
  });
});
