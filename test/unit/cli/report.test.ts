import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import { EventLog } from '../../../server/runs/log/eventLog.ts';
import type { Run } from '../../../server/runs/run.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';
import { callCommandLine } from './callCommandLine.ts';
import { experimentText, finished, metrics, started, wholeRun } from './sampleEvents.ts';

async function place() {
  const folder = await temporaryFolder();
  return {
    folder,
    async run(events: readonly RunEvent[], name = 'lenet', overrides: string[] = []): Promise<Run> {
      const experiment = join(folder, `${name}.deeptwist.jsonc`);
      await writeFile(experiment, experimentText);
      const run = await createRun({ experiment, text: experimentText, overrides });
      const log = await EventLog.open(run);
      for (const event of events) log.append(event);
      log.close();
      const end = events.at(-1)?.type;
      await run.update({ state: end === 'finished' || end === 'failed' ? end : 'stopped' });
      return run;
    },
    report: (...args: string[]) => callCommandLine(folder, ['report', ...args], { now: () => Date.UTC(2026, 10, 29) }),
    read: (name: string) => readFileSync(join(folder, name), 'utf8'),
  };
}

test('a report of a run has its result before and after, its curves, its sizes, its settings and its command', async () => {
  const { run, report, read } = await place();
  const { training } = started.config;
  const begin = { ...started, config: { ...started.config, training: { ...training, seed: 20261130 } } };
  const { id } = await run([begin, ...wholeRun.slice(1)], 'lenet', ['training.seed=7', "data.path=it's here"]);
  const { code, stdout } = await report('last');
  expect([code, stdout]).toEqual([0, `${id}.html\n`]);
  const page = read(`${id}.html`);
  expect(page).toContain('98.41%');
  expect(page).toContain('98.40% before the last distortion');
  expect(page).toContain('32.1 kB');
  expect(page).toContain('<h3>Accuracy</h3>');
  expect(page).toContain('<h3>Loss</h3>');
  expect(page).toContain('fc1/kernel');
  expect(page).toContain('training.batchSize');
  expect(page).toContain('the learning rate is high');
  expect(page).toContain('no split chose it');
  expect(page.replace(/\s+/g, ' ')).toContain('seed 20261130.');
  expect(page).toContain(
    'npx deeptwist run lenet.deeptwist.jsonc --set training.seed=7 --set &#39;data.path=it&#39;\\&#39;&#39;s here&#39;',
  );
});

test('a change while a run trained is in its commands as one that `change` takes', async () => {
  const { run, report, read } = await place();
  const changed = await run(wholeRun);
  await changed.update({ changes: [{ step: 5, values: ['compression.layers.fc1.rank=4', "data.path=it's here"] }] });
  await report('last');
  expect(read(`${changed.id}.html`)).toContain(
    '# from step 5 on: npx deeptwist change last --set compression.layers.fc1.rank=4 --set &#39;data.path=it&#39;\\&#39;&#39;s here&#39;',
  );
});

test('the page can load and run nothing but its own style', async () => {
  const { run, report, read } = await place();
  const { id } = await run(wholeRun);
  await report('last');
  const page = read(`${id}.html`);
  const [, style] = /<style>([^]*?)<\/style>/.exec(page) ?? [];
  const hash = createHash('sha256').update(style).digest('base64');
  expect(page).toContain(`content="default-src 'none'; style-src 'sha256-${hash}';`);
  expect(page).not.toMatch(/<script|<link|<img|<iframe|\bstyle=|\bsrc=|\bhref=|\bon\w+=|https?:/i);
});

test('what runs say is text, never markup', async () => {
  const { run, report, read } = await place();
  const evil = '<img src=x onerror=alert(1)>"\'&';
  const [first] = started.layers;
  await run([
    { ...started, device: evil, layers: [{ ...first, name: evil }] },
    { type: 'evaluation', step: 1, time: 1, split: 'test', metric: evil, value: 1, loss: 1, moment: 'training' },
    { type: 'warning', step: 1, time: 1, message: evil },
    metrics(1),
    { ...finished, summary: { ...finished.summary, metric: evil } },
  ]);
  await report('last', '--title', evil, '--out', 'evil.html');
  const page = read('evil.html');
  expect(page).not.toContain('<img');
  expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;');
});

test('several runs stand side by side, those of several seeds as their mean with its interval', async () => {
  const { run, report, read } = await place();
  const ids: string[] = [];
  for (const [seed, batchSize, accuracy] of [
    [1, 50, 0.98],
    [2, 50, 0.97],
    [1, 20, 0.99],
  ]) {
    const { config } = started;
    const begun = { ...started, config: { ...config, training: { ...config.training, seed, batchSize } } };
    const ended = { ...finished, summary: { ...finished.summary, test: accuracy } };
    ids.push((await run([begun, metrics(1), ended], `lenet-${ids.length}`)).id);
  }
  const { code } = await report(...ids, '--out', 'three.html');
  expect(code).toBe(0);
  const page = read('three.html');
  expect(page).toContain('0.975 ± 0.064');
  expect(page).toContain('<td class="numeric best">99.00%</td>');
  expect(page).toContain('<h3>Size and result</h3>');
  expect(page.replaceAll(/\s+/g, ' ')).toContain('Whoever chooses among these runs by their test results');
});

test('a loss that has risen is said', async () => {
  const { run, report, read } = await place();
  const summary = { ...finished.summary, lossRise: { first: 2.3, last: 14.5 } };
  const { id } = await run([started, metrics(1), { ...finished, summary }]);
  await report('last');
  expect(read(`${id}.html`)).toContain('<p>The loss rose from 2.3 to 14.5: the training may have diverged.');
});

test('a report of ten long runs is small', async () => {
  const { run, report } = await place();
  const ids: string[] = [];
  const long = [started, ...Array.from({ length: 5000 }, (_, i) => metrics(i + 1, Math.sin(i) + 2)), finished];
  for (let i = 0; i < 10; i++) ids.push((await run(long, `lenet-${i}`)).id);
  const { stdout } = await report(...ids, '--out', 'ten.html', '--json');
  expect((JSON.parse(stdout) as { bytes: number }).bytes).toBeLessThan(2_000_000);
});

test('runs that train, that have not begun and that have failed are reported as far as they are', async () => {
  const { run, report, read } = await place();
  await run([]);
  expect((await report('last', '--out', 'none.html')).code).toBe(0);
  expect(read('none.html')).toContain('The run has not begun.');
  const { eventsFile } = await run(wholeRun.slice(0, 4), 'part');
  await appendFile(eventsFile, '{"type":"metr\n');
  await report('part', '--out', 'part.html');
  expect(read('part.html')).toContain('The run is stopped: this is how far it has come.');
  await run([started, { type: 'failed', step: 3, time: 0, message: 'the loss is NaN' }], 'failing');
  await report('failing', '--out', 'failed.html');
  expect(read('failed.html')).toContain('failed: the loss is NaN');
});

test('a model card has the head that the Hub reads, the results of each split, and which data chose what', async () => {
  const { run, report, read } = await place();
  const { config } = started;
  const begun = { ...started, config: { ...config, training: { ...config.training, keepBest: true } } };
  await run([begun, ...wholeRun.slice(1, -1), { ...finished, summary: { ...finished.summary, validation: 0.99 } }]);
  const { code } = await report('last', '--format', 'model-card', '--out', 'README.md');
  expect(code).toBe(0);
  const card = read('README.md');
  const [, head] = /^---\n([^]*?)\n---\n/.exec(card) ?? [];
  expect(head.split('\n')).toEqual([
    'library_name: deeptwist',
    'tags: ["deeptwist", "model-compression"]',
    'metrics: ["accuracy"]',
    'model-index:',
    expect.stringMatching(/^- name: "\d{8}-\d{6}-lenet"$/),
    '  results:',
    ...['test', 'validation'].flatMap((split, i) => [
      '  - task:',
      '      type: "image-classification"',
      '    dataset:',
      '      name: "mnist"',
      '      type: "mnist"',
      `      split: "${split}"`,
      '    metrics:',
      '    - type: "accuracy"',
      `      value: ${[0.98412, 0.99][i]}`,
    ]),
  ]);
  expect(card).toContain('The final model is the one with the lowest loss on the validation split.');
  expect(card).toContain('The test split was evaluated once while it trained');
  expect(card).toContain('| bytes that a file would take | 1.07 MB | 32.1 kB | 33.2x smaller |');
});

test.each([
  [['last', '--format', 'pdf'], "--format cannot be 'pdf'", 2],
  [['last', 'last', '--format', 'model-card'], 'a model card is of one run', 2],
  [['last', '--format', 'model-card', '--title', 'x'], '--title is not for a model card', 2],
  [['nothing'], 'nothing', 2],
  [['last', '--out', 'no-folder/report.html'], 'no-folder does not exist', 2],
  [['last', '--out', 'a-folder'], 'a-folder is a folder', 2],
])('report %j is refused', async (args, said, exit) => {
  const { folder, run, report } = await place();
  await run(wholeRun);
  await mkdir(join(folder, 'a-folder'));
  const { code, stderr } = await report(...args);
  expect(stderr).toContain(said);
  expect(code).toBe(exit);
});

test('a run without a final model has no model card', async () => {
  const { run, report } = await place();
  await run(wholeRun.slice(0, 4));
  const { code, stderr } = await report('last', '--format', 'model-card');
  expect(code).toBe(1);
  expect(stderr).toContain('has no final model for a card: it is stopped.');
});
