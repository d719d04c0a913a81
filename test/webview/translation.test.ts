/**
 * @file The page in another language. Of the made-up one here every letter is a fullwidth form of the English one: what is
 * still in ASCII is data, or was not translated. It is looked for in the page and in what charts paint.
 */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { RunSummary, ToDashboard } from '../../server/protocol/wire/dashboard.ts';
import type { EventOf, RunEvent } from '../../server/protocol/run/events.ts';
import { packSnapshot } from '../../server/protocol/wire/packSnapshot.ts';
import { compressedEvents, metricsEvent, runEvents, runSummary, snapshotOf } from '../unit/webview/runFixture.ts';
import { settled } from './dashboardPage.ts';
import type { DashboardInBrowser } from './dashboardPage.ts';
import { dashboardOfTests } from './openedDashboard.ts';

const english = JSON.parse(readFileSync(new URL('../../l10n/bundle.l10n.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, string>
>;
const fullwidth = Object.fromEntries(
  Object.entries(english).map(([key, text]) => [
    key,
    text.replace(/[A-Za-z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0)),
  ]),
);

/** What a run recorded and how quantities are written, the longest first. */
const DATA = [
  /[A-Z][a-z]{2} \d+, \d+:\d\d:\d\d/g, // When a run was started, as the browser writes it.
  'lenet.deeptwist.jsonc',
  'training.steps=200',
  'training.steps=50',
  'training.steps',
  /^steps$/g, // The setting in which the two runs differ.
  'steps=200',
  'steps=50',
  'lenet',
  'fc1/kernel',
  'fc2/kernel',
  'prune',
  'accuracy',
  'Accuracy',
  'test',
  'kB',
  'min',
];

const tabs = ['curves', 'weights', 'spectrum', 'layers', 'files', 'compare'];

const dashboard = dashboardOfTests();

async function open(translation: Readonly<Record<string, string>> = fullwidth): Promise<DashboardInBrowser> {
  const opened = await dashboard.open({ translation, width: 1100 });
  await opened.page.evaluate(() => {
    const painted = new Set<string>();
    const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (...args) {
      painted.add(args[0]);
      fillText.apply(this, args);
    };
    Object.assign(globalThis, { painted });
  });
  return opened;
}

describe('the page in another language', () => {
  it('has no English in any of its tabs, menus and tables', async () => {
    const { page, tell, complaints, said } = await open();
    await tell(
      runs('running', ['a', 'b']),
      snapshot('a', [...compressedEvents([10, 20, 30, 40], 200), ...runEvents(200)]),
      snapshot('b', [...compressedEvents([10, 25], 50), ...runEvents(100), finished]),
      live({ phase: 'training', step: 200, steps: 1000, stepsPerSecond: 3, loss: 0.5 }),
    );
    await page.locator('.run-opener').click();
    expect(await untranslated(page)).toEqual([]);
    await page.keyboard.press('Escape');
    for (const tab of tabs) {
      await page.locator(`#tab-${tab}`).click();
      expect(await page.locator(`#tab-${tab}`).textContent()).toMatch(/^[\uff21-\uff5a]+$/);
      await settled(page);
      const charts = page.locator('.chart:visible');
      for (let i = 0; i < (await charts.count()); i++) {
        const chart = charts.nth(i);
        await chart.locator('.chart-plot').focus();
        await page.keyboard.press('Home');
        await page.keyboard.press('ArrowRight');
        expect(await untranslated(page), tab).toEqual([]);
        await chart.locator('.menu-root > button').click();
        expect(await untranslated(page), tab).toEqual([]);
        await chart.getByRole('menuitem').nth(2).click();
        await settled(page);
      }
      expect(await page.locator('.chart-table:visible').count(), tab).toBe(await charts.count());
      expect(await untranslated(page), tab).toEqual([]);
    }
    // Curves of one run alone have names of their own, and Compare says how there are more.
    await tell(runs('running', ['a']));
    for (const tab of tabs) {
      await page.locator(`#tab-${tab}`).click();
      await settled(page);
      expect(await untranslated(page), tab).toEqual([]);
    }
    expect((await said()).filter(({ type }) => type === 'error')).toEqual([]);
    // An empty style attribute of the toolkit, see dashboard.test.ts.
    expect(complaints.filter((text) => !text.includes('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='))).toEqual([]);
  });

  it('has no English where a run cannot be seen, or stands in another way', async () => {
    const { page, tell } = await open();
    expect(await untranslated(page)).toEqual([]);
    const situations: ToDashboard[][] = [
      [{ type: 'runs', runs: [], shown: [] }],
      [runs('running', [])],
      [runs('queued', ['a', 'b'])],
      [{ type: 'loading', run: 'a', fraction: 0.5 }],
      [snapshot('a', [])],
      [live({ phase: 'queued', step: 0, steps: 0 })],
      ...[1, 2].map((runsAhead) => [live({ phase: 'queued', step: 0, steps: 0, runsAhead })]),
      ...(['preparing', 'paused', 'stopping'] as const).map((phase) => [live({ phase, step: 1, steps: 10 })]),
      [live(undefined)],
      ...(['failed', 'interrupted', 'stopped', 'finished'] as const).map((state) => [runs(state, ['a'])]),
      [{ type: 'problem', message: '…' }],
      [{ type: 'restricted', reason: '…' }],
    ];
    for (const messages of situations) {
      await tell(...messages);
      expect(await untranslated(page), JSON.stringify(messages)).toEqual([]);
    }
  });

  it('has no English where there is nothing to draw yet', async () => {
    const { page, tell } = await open();
    await tell(runs('running', ['a']));
    const [started, ...rest] = compressedEvents([10], 100) as [EventOf<'started'>, ...RunEvent[]];
    const { compression: _compression, ...uncompressed } = started.config;
    const events: RunEvent[][] = [
      [],
      [started],
      [started, { type: 'stopped', step: 1, time: 0 }],
      [{ ...started, config: uncompressed }],
      [{ ...started, config: { ...started.config, observe: { ...started.config.observe, spectrum: false } } }],
      [started, ...rest.filter(({ type }) => type !== 'spectrum')],
      [started, metricsEvent(1, 0)],
    ];
    for (const recorded of events) {
      await tell(snapshot('a', recorded));
      for (const tab of tabs) {
        await page.locator(`#tab-${tab}`).click();
        await settled(page);
        expect(await untranslated(page), `${tab}: ${recorded.map(({ type }) => type).join()}`).toEqual([]);
      }
    }
  });

  it('saves files with columns in English', async () => {
    const { page, tell, said } = await open();
    await tell(
      runs('running', ['a', 'b']),
      snapshot('b', compressedEvents([15], 50)),
      snapshot('a', [...compressedEvents([10, 20, 30, 40], 200), ...runEvents(200)]),
    );
    const heads: string[] = [];
    for (const tab of ['weights', 'curves', 'spectrum']) {
      await page.locator(`#tab-${tab}`).click();
      await settled(page);
      // Curves of several runs are called by their runs.
      if (tab === 'curves') await tell(runs('running', ['a']));
      const charts = page.locator('.chart:visible');
      for (let i = 0; i < (await charts.count()); i++) {
        await charts.nth(i).locator('.menu-root > button').click();
        await charts.nth(i).getByRole('menuitem').nth(1).click();
        const saved = (await said()).findLast((message) => message.type === 'save');
        heads.push(String(saved?.content).split('\r\n', 1)[0]);
      }
    }
    expect([...new Set(heads)]).toEqual([
      'weight from,weight to,after,before,"after · steps=50, step 15"',
      'step,weight from,weight to,count',
      'step,training loss',
      'step,test',
      'step,loss after − before',
      'step,learning rate',
      'singular value,step 10,step 30,step 40',
    ]);
  });

  it('shows a text with markup as it is', async () => {
    const markup = '</script><img src="x"><!--';
    const { page } = await open({ ...english, 'Looking for runs…': markup });
    expect(await page.locator('.notice-title').textContent()).toBe(markup);
    expect(await page.locator('img').count()).toBe(0);
  });
});

function runs(state: RunSummary['state'], shown: readonly string[]): ToDashboard {
  const result = { metric: 'accuracy', test: 0.9, byteRatio: 10 };
  return {
    type: 'runs',
    runs: [
      runSummary('a', { state, overrides: ['training.steps=200'], created: Date.now() - 600_000 }),
      runSummary('b', { state: 'finished', overrides: ['training.steps=50'], result }),
    ],
    shown,
  };
}

function snapshot(run: string, events: readonly RunEvent[]): ToDashboard {
  return { type: 'snapshot', run, snapshot: packSnapshot(snapshotOf(events)).snapshot };
}

function live(state: Extract<ToDashboard, { type: 'live' }>['live']): ToDashboard {
  return { type: 'live', run: 'a', live: state };
}

const finished = {
  type: 'finished',
  step: 100,
  time: 100,
  summary: {
    metric: 'accuracy',
    test: 0.9,
    bytes: 8000,
    bytesKept: 800,
    byteRatio: 10,
    weightRatio: 12,
    steps: 100,
    trainingSeconds: 100,
    distortionSeconds: 1,
    layers: [],
  },
} as unknown as RunEvent;

/** Texts of the page, its attributes and its canvases that have two ASCII letters or more beside data. */
async function untranslated(page: Page): Promise<string[]> {
  const texts = await page.evaluate(() => {
    const found = new Set((globalThis as unknown as { painted?: Set<string> }).painted);
    const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (nodes.nextNode()) {
      const parent = nodes.currentNode.parentElement!;
      // A path that may be broken behind its dots is one text.
      const whole = parent.querySelector(':scope > wbr') ? parent : nodes.currentNode;
      if (parent.tagName !== 'SCRIPT') found.add(whole.textContent!);
    }
    const attributes = ['title', 'aria-label', 'aria-roledescription', 'aria-valuetext', 'placeholder', 'alt'];
    for (const node of document.body.querySelectorAll('*'))
      for (const name of attributes) found.add(node.getAttribute(name) ?? '');
    return [...found];
  });
  return texts.filter((text) =>
    /[A-Za-z]{2,}/.test(DATA.reduce<string>((rest, data) => rest.replaceAll(data, ''), text)),
  );
}
