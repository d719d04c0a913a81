/**
 * @file Pictures of the dashboard with a recorded run, in every theme and three widths, to be looked at:
 * `npx jiti test/webview/screenshots.ts OUT_FOLDER RUN_FOLDER… [--tab ID] [--theme NAME] [--width N]`
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { launchBrowser } from '../../scripts/editor/workbench.js';
import type { RunSummary } from '../../server/protocol/wire/dashboard.ts';
import { compressedSize } from '../../server/protocol/run/compressedSize.ts';
import type { RunEvent, Summary } from '../../server/protocol/run/events.ts';
import { packSnapshot } from '../../server/protocol/wire/packSnapshot.ts';
import { restoreMeasured } from '../../server/protocol/run/restoreMeasured.ts';
import { createRunHistory } from '../../server/protocol/run/runHistory.ts';
import { readExportedFiles } from '../../server/runs/exportedFiles.ts';
import { readLatency } from '../../server/runs/latencyRecord.ts';
import { bundleDashboard, openDashboard, settled } from './dashboardPage.ts';
import { themeKinds } from './themes.ts';
import type { ThemeKind } from './themes.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { tab: { type: 'string', multiple: true }, theme: { type: 'string' }, width: { type: 'string' } },
});
const [out, ...runFolders] = positionals;
mkdirSync(out, { recursive: true });

const reading = runFolders.map(async (folder) => {
  const history = createRunHistory();
  const lines = readFileSync(join(folder, 'events.jsonl'), 'utf8').trim().split('\n');
  for (const line of lines) history.apply(restoreMeasured(JSON.parse(line) as RunEvent));
  const { snapshot } = packSnapshot(history.snapshot());
  const end = snapshot.end?.type === 'finished' ? snapshot.end.summary : undefined;
  const record = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as Record<string, never>;
  const summary: RunSummary = {
    key: folder,
    id: basename(folder),
    name: record.name,
    experiment: `examples/${basename(record.experiment)}`,
    overrides: record.overrides,
    state: record.state,
    created: Date.parse(record.created),
    ...(end && { result: { metric: end.metric, test: end.test, byteRatio: end.byteRatio, ...fileRatio(end) } }),
  };
  return {
    summary,
    snapshot,
    files: await readExportedFiles({ path: folder, exportsFolder: join(folder, 'exports') }),
    latency: await readLatency({ latencyFile: join(folder, 'latency.json') }),
  };
});
const runs = await Promise.all(reading);

function fileRatio(end: Summary) {
  const { ratio, isFile } = compressedSize(end);
  return isFile && { fileRatio: ratio };
}

const bundle = await bundleDashboard();
const browser = await launchBrowser();
try {
  const kinds = values.theme ? [values.theme as ThemeKind] : themeKinds;
  const widths = values.width ? [Number(values.width)] : [220, 420, 1100];
  for (const theme of kinds)
    for (const width of widths) {
      const { page, tell, said, complaints } = await openDashboard(browser, bundle, { theme, width, height: 1000 });
      await tell(
        { type: 'runs', runs: runs.map(({ summary }) => summary), shown: runs.map(({ summary }) => summary.key) },
        ...runs.map(({ summary, snapshot }) => ({ type: 'snapshot' as const, run: summary.key, snapshot })),
        ...runs.map(({ summary, files, latency }) => ({ type: 'exports' as const, run: summary.key, files, latency })),
      );
      const tabs = values.tab ?? ['curves'];
      for (const tab of tabs) {
        await page.locator(`#tab-${tab}`).click();
        await settled(page);
        await settled(page);
        await page.screenshot({ path: join(out, `${tab}-${theme}-${width}.png`) });
      }
      for (const message of await said()) if (message.type === 'error') complaints.push(message.message);
      if (complaints.length > 0) process.stderr.write(`${theme} ${width}: ${complaints.join('\n')}\n`);
      await page.close();
    }
} finally {
  await browser.close();
}
