/**
 * @file `npm run journeys -- [NAME…] [--theme THEME]`: what users do in a real VS Code with the packaged extension, on a folder of their own: clicks,
 * seconds and pictures of each journey go to `.cache/journeys/NAME/`, with a page `README.md` that a person can follow. In another theme than the light one
 * they go to `.cache/journeys/NAME-THEME/`.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Browser } from 'playwright-core';
import { startEditor } from '../../scripts/editor/serve.js';
import { launchBrowser, openWorkbench } from '../../scripts/editor/workbench.js';
import { isTarget, packageExtension } from '../../scripts/package.js';
import { root } from '../../scripts/root.js';
import { describeMachine } from '../bench/machine.ts';
import { themes } from '../screenshots/pictures.ts';
import { scenarios, type Scenario } from './journeys.ts';
import { Journey } from './journey.ts';

const size = { width: 1440, height: 900 };

/**
 * @param chosen names of journeys; all of them where none is named
 * @param theme of the window: a name in `themes`
 * @returns true where each came to its end with as many clicks as it may take
 */
export async function walk(chosen: readonly string[], theme = 'light'): Promise<boolean> {
  const unknown = chosen.find((name) => !(name in scenarios));
  if (unknown !== undefined)
    throw new Error(`There is no journey ${unknown}, but ${Object.keys(scenarios).join(', ')}.`);
  if (!isTheme(theme)) throw new Error(`There is no theme ${theme}, but ${Object.keys(themes).join(', ')}.`);
  const target = `${process.platform}-${process.arch}`;
  if (!isTarget(target)) throw new Error(`There is no package of the extension for ${target}.`);
  const vsix = await packageExtension(target);
  const browser = await launchBrowser();
  let isWithinTargets = true;
  try {
    for (const [name, scenario] of Object.entries(scenarios)) {
      if (chosen.length > 0 && !chosen.includes(name)) continue;
      console.log(`${name}: ${scenario.title}`);
      const journey = await walkOne(browser, vsix, theme, name, scenario).catch((error: Error) => console.error(error));
      if (!journey || journey.clicks > (scenario.clicks ?? Infinity)) isWithinTargets = false;
      if (journey) console.log(`  ${totalOf(scenario, journey)}\n`);
    }
  } finally {
    await browser.close();
  }
  return isWithinTargets;
}

const isTheme = (name: string): name is keyof typeof themes => name in themes;

async function walkOne(
  browser: Browser,
  vsix: string,
  theme: keyof typeof themes,
  name: string,
  scenario: Scenario,
): Promise<Journey> {
  const out = join(root, '.cache', 'journeys', theme === 'light' ? name : `${name}-${theme}`);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), 'deeptwist-journey-'));
  scenario.prepare(folder);
  const editor = await startEditor({ vsix, settings: { 'workbench.colorTheme': themes[theme][0] } });
  try {
    const page = await openWorkbench(browser, editor.url({ folder }), size);
    const journey = new Journey(page, out);
    await scenario.walk(journey, folder);
    await page.context().close();
    writeFileSync(join(out, 'README.md'), pageOf(scenario, journey));
    console.log(`  ${relative(root, out)}`);
    return journey;
  } finally {
    await editor.dispose();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

function totalOf({ clicks }: Scenario, journey: Journey): string {
  const limit = clicks === undefined ? '' : ` (${clicks} at most)`;
  return `${journey.clicks} clicks${limit}, ${journey.seconds.toFixed(0)} s`;
}

/** The journey as Markdown: each step with its seconds, and what was seen after it. */
function pageOf(scenario: Scenario, journey: Journey): string {
  const { cpu, cores, date, load } = describeMachine();
  return [
    `# ${scenario.title}`,
    '',
    `${totalOf(scenario, journey)} on ${date} (${cores} cores of an ${cpu}, load ${load}).`,
    '',
    ...journey.steps.flatMap(({ kind, what, seconds, picture }, i) => [
      `${i + 1}. ${what} (${kind}, ${seconds.toFixed(1)} s)`,
      '',
      `   ![${what}](${picture})`,
      '',
    ]),
  ].join('\n');
}
