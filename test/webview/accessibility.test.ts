/** @file Every page, in all of its tabs and all four kinds of themes, without a violation of axe-core's rules; and every action by the keyboard. */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { ToDashboard } from '../../server/protocol/wire/dashboard.ts';
import type { ToModelFilePage } from '../../server/protocol/wire/modelFile.ts';
import { packSnapshot } from '../../server/protocol/wire/packSnapshot.ts';
import type { ToSweepPage } from '../../server/protocol/wire/sweep.ts';
import { exportedFile } from '../unit/webview/exportedFile.ts';
import { largeRunEvents } from '../unit/webview/largeRun.ts';
import { latency } from '../unit/webview/latency.ts';
import { shownFile } from '../unit/webview/modelFile/shownFile.ts';
import { runSummary, snapshotOf } from '../unit/webview/runFixture.ts';
import { sensitivityReport } from '../unit/webview/sensitivity/report.ts';
import { sweptRow, sweptRows } from '../unit/webview/sweep/sweptRows.ts';
import { settled, setTheme } from './dashboardPage.ts';
import { dashboardOfTests, modelFileOfTests, sensitivityOfTests, sweepOfTests } from './openedDashboard.ts';
import { themeKinds } from './themes.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The rules that colours can break, but for those of level AAA, which VS Code's own themes break. */
const COLOR_RULES = ['color-contrast', 'link-in-text-block'];

/**
 * The findings of axe-core: each rule with the elements that break it, and how.
 * @param rules default: all that axe-core checks by itself
 */
async function violations(page: Page, rules?: readonly string[]): Promise<string[]> {
  await page.evaluate(axe);
  // Style sheets are asked for once more to be checked, which the page's policy forbids.
  const options = { preload: false, ...(rules && { runOnly: { type: 'rule', values: rules } }) };
  const { violations: found } = await page.evaluate(
    (given) => (globalThis as unknown as { axe: { run(options: object): Promise<AxeResults> } }).axe.run(given),
    options,
  );
  return found.flatMap(({ id, nodes }) =>
    nodes
      .slice(0, 5)
      .map(
        ({ target, failureSummary = '' }) => `${id}: ${target.join(' ')}: ${failureSummary.replaceAll(/\s+/g, ' ')}`,
      ),
  );
}

/** All rules in the first theme; in the others, those that colours can break. */
async function violationsInThemes(page: Page, isNarrow = false): Promise<string[]> {
  const found: string[] = [];
  for (const [i, kind] of themeKinds.entries()) {
    await setTheme(page, kind, isNarrow);
    await settled(page);
    const own = await violations(page, i === 0 ? undefined : COLOR_RULES);
    found.push(...own.map((text) => `${kind}: ${text}`));
  }
  return found;
}

/** Two runs of a model with 50 layers whose names have 80 characters, or more runs of one with five. */
function dashboardMessages(count: number): ToDashboard[] {
  const keys = Array.from({ length: count }, (_, i) => `/runs/${i}`);
  return [
    {
      type: 'runs',
      shown: keys,
      runs: keys.map((key, i) =>
        runSummary(key, { id: `2026112${i}-120000-lenet`, overrides: [`model=builtin:${i}`] }),
      ),
    },
    ...keys.map((run, i): ToDashboard => {
      const { snapshot } = packSnapshot(snapshotOf(largeRunEvents(count > 2 ? 5 : 50, i + 1)));
      return { type: 'snapshot', run, snapshot };
    }),
    { type: 'exports', run: keys[0], files: [exportedFile()], latency: latency() },
  ];
}

const { open: openDashboard } = dashboardOfTests();
const tabs = ['curves', 'weights', 'spectrum', 'layers', 'files', 'compare'];

describe('the dashboard', () => {
  it.each(tabs)(
    'has no violation in the tab %s, with runs of a large model, wide and in a narrow side bar',
    async (tab) => {
      const { page, tell } = await openDashboard({ width: 1100 });
      // Other tabs show the first run, or two.
      await tell(...dashboardMessages(['curves', 'compare'].includes(tab) ? 12 : 2));
      await page.locator(`#tab-${tab}`).click();
      await settled(page);
      expect(await violationsInThemes(page)).toEqual([]);
      await page.setViewportSize({ width: 250, height: 700 });
      await settled(page);
      expect(await violations(page)).toEqual([]);
    },
  );

  it('has no violation with its lists and menus open, and with nothing to show', async () => {
    const { page, tell } = await openDashboard({ width: 420 });
    expect(await violations(page)).toEqual([]);
    await tell({ type: 'runs', runs: [], shown: [] });
    expect(await violationsInThemes(page, true)).toEqual([]);
    await tell(...dashboardMessages(2));
    await page.getByRole('button', { name: 'Chart actions' }).first().click();
    expect(await violationsInThemes(page, true)).toEqual([]);
    await page.getByRole('menuitem', { name: 'Show as table' }).click();
    await page.locator('.run-picker button').first().click();
    expect(await violationsInThemes(page, true)).toEqual([]);
  });

  it.each([
    ['a side bar of 250 pixels', { width: 250, height: 700 }],
    ['a window of 1,100 by 700 pixels at a zoom of 300%', { width: 366, height: 233 }],
  ])('fits %s in every tab: nothing but tables and charts is wider than it', async (_, size) => {
    const { page, tell } = await openDashboard(size);
    await tell(...dashboardMessages(2));
    for (const tab of tabs) {
      await page.locator(`#tab-${tab}`).click();
      await settled(page);
      expect(await sideways(page), tab).toEqual([]);
    }
  });
});

/** The page and its scroller, where their content is wider than they are. */
function sideways(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const scroller = document.querySelector('.scroller');
    const wide = [
      ...(scrollWidth > clientWidth ? [`page ${scrollWidth} > ${clientWidth}`] : []),
      ...(scroller && scroller.scrollWidth > scroller.clientWidth + 1
        ? [`scroller ${scroller.scrollWidth} > ${scroller.clientWidth}`]
        : []),
    ];
    return wide;
  });
}

/**
 * Controls that the Tab key does not reach, and that no arrow key of a group (tabs, menus, grids) leads to; by their names.
 * @param most presses of Tab, more than there are stops
 */
async function unreached(page: Page, most = 400): Promise<string[]> {
  await page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute('tabindex');
    document.addEventListener('focusin', ({ target }) => (target as HTMLElement).setAttribute('data-reached', ''));
  });
  for (let i = 0; i < most; i++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement === document.body)) break;
  }
  return page.evaluate(() => {
    const controls = 'button, a[href], input, select, textarea, summary, vscode-button, vscode-checkbox, vscode-dropdown, [role=slider], [role=application]'; // prettier-ignore
    const inGroup = (one: Element) => one.closest('[role=tablist], [role=menu], [role=grid], [role=listbox], .toolkit');
    return [...document.querySelectorAll<HTMLElement>(controls)]
      .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.hasAttribute('data-reached'))
      .filter((one) => !one.matches(':disabled, [disabled]') && !inGroup(one))
      .map((one) => `${one.tagName.toLowerCase()} ${one.getAttribute('aria-label') ?? one.textContent.trim()}`);
  });
}

describe('the keyboard', () => {
  it.each(tabs)('reaches every control of the dashboard in the tab %s', async (tab) => {
    const { page, tell } = await openDashboard({ width: 900 });
    await tell(...dashboardMessages(2));
    await page.locator(`#tab-${tab}`).focus();
    await page.keyboard.press('Home');
    for (let i = 0; i < tabs.indexOf(tab); i++) await page.keyboard.press('ArrowRight');
    await settled(page);
    expect(await page.locator(`#tab-${tab}`).getAttribute('aria-selected')).toBe('true');
    expect(await unreached(page)).toEqual([]);
  });

  it('opens, walks and closes menus and the list of runs, and comes back to where it was', async () => {
    const { page, tell } = await openDashboard({ width: 900 });
    await tell(...dashboardMessages(2));
    const opener = page.getByRole('button', { name: 'Chart actions' }).first();
    await opener.focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator(':focus').textContent()).toBe('Save as PNG…');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => page.locator(':focus').textContent()).toBe('Save as CSV…');
    await page.keyboard.press('Escape');
    await expect.poll(() => opener.evaluate((one) => one === document.activeElement)).toBe(true);
    const runs = page.locator('.run-opener');
    await runs.focus();
    await page.keyboard.press('Enter');
    await page.locator('.run-popup').waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('.run-popup').isVisible()).toBe(false);
    await expect.poll(() => runs.evaluate((one) => one === document.activeElement)).toBe(true);
  });
});

describe('the page of a sweep', () => {
  const { open } = sweepOfTests();
  const rows = [
    ...sweptRows([0.5, 0.8, 0.9], [1, 2]),
    sweptRow(7, ['compression.layers.fc1.rate=0.95'], { state: 'failed', problem: 'It broke.' }),
    sweptRow(8, ['compression.layers.fc1.rate=0.98'], { state: 'running', note: { pinned: true, text: 'look' } }),
  ];
  const sweep: ToSweepPage = {
    ...{ type: 'sweep', isTrusted: true },
    sweep: {
      id: '20261129-120000-lenet',
      path: '/w/s',
      experiment: '/w/lenet.deeptwist.jsonc',
      size: rows.length,
      rows,
    },
  };

  it('is reached by the keyboard', async () => {
    const { page, tell } = await open({ width: 1200 });
    await tell(sweep);
    await page.locator('.rows-table tbody th').first().waitFor();
    expect(await unreached(page)).toEqual([]);
  });

  it('has no violation, also with its columns, a brush and a menu open, and where its filter is wrong', async () => {
    const { page, tell } = await open({ width: 1200 });
    await tell(sweep);
    await page.locator('.rows-table tbody th').first().waitFor();
    expect(await violationsInThemes(page)).toEqual([]);
    await page.getByRole('slider', { name: /^rate:/ }).press('ArrowUp');
    await page.getByText('Columns').click();
    await page.getByRole('searchbox', { name: 'Filter' }).fill('rats > 1');
    await settled(page);
    expect(await violationsInThemes(page)).toEqual([]);
    await page.setViewportSize({ width: 250, height: 700 });
    await settled(page);
    expect(await violations(page)).toEqual([]);
  });
});

describe('the page of a sensitivity report', () => {
  const { open } = sensitivityOfTests();

  it('is reached by the keyboard', async () => {
    const { page, tell } = await open({ width: 1000 });
    await tell({ type: 'report', name: '20261129-120000-lenet', report: sensitivityReport() });
    expect(await unreached(page)).toEqual([]);
  });

  it('has no violation', async () => {
    const { page, tell } = await open({ width: 1000 });
    await tell({ type: 'report', name: '20261129-120000-lenet', report: sensitivityReport() });
    await page.locator('h1').waitFor();
    expect(await violationsInThemes(page)).toEqual([]);
  });
});

describe('the page of a model file', () => {
  const { open } = modelFileOfTests();
  const histogram: ToModelFilePage = {
    type: 'histogram',
    tensor: 2,
    histogram: { minimum: -1, maximum: 1, zeros: 2, counts: Float64Array.of(5, 2, 3) },
  };

  it('is reached by the keyboard', async () => {
    const { page, tell } = await open({ width: 1000 });
    await tell({ type: 'file', file: shownFile() });
    expect(await unreached(page)).toEqual([]);
  });

  it('has no violation, with a tensor open too', async () => {
    const { page, tell } = await open({ width: 1000 });
    await tell({ type: 'file', file: shownFile() });
    await page.locator('tbody th').first().waitFor();
    expect(await violationsInThemes(page)).toEqual([]);
    await page.getByRole('row', { name: 'fc1/kernel' }).click();
    await tell(histogram);
    await settled(page);
    expect(await violationsInThemes(page)).toEqual([]);
  });
});
