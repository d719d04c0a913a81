/** @file Five journeys of users: each says what a person does in a window on a folder, and how many clicks it may take. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { webview } from '../../scripts/editor/workbench.js';
import { recordOf, runsOf } from '../e2e/editorSession.ts';
import { writeArrays, writeModule, writeOnnx } from './data.ts';
import type { Journey } from './journey.ts';

/** The experiment of those users who bring one. */
const EXPERIMENT = 'classifier.deeptwist.jsonc';

export interface Scenario {
  readonly title: string;
  /** Clicks that it may take at most. */
  readonly clicks?: number;
  /** Puts into the folder what the user brings. */
  prepare(folder: string): void;
  walk(journey: Journey, folder: string): Promise<void>;
}

/** True for a run in this state, false before its state is recorded. */
const isIn = (state: string, run: string) => existsSync(join(run, 'run.json')) && recordOf(run).state === state;

/** True when there are `count` runs and the last one is in a state. */
const lastRunIs = (folder: string, state: string, count = 1) => {
  const runs = runsOf(folder);
  return runs.length === count && isIn(state, runs[count - 1]);
};

const lens = ({ page }: Journey, text: string | RegExp) =>
  page.locator('.codelens-decoration a', { hasText: text }).first();
const row = ({ page }: Journey, text: string | RegExp) =>
  page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first();
const toast = ({ page }: Journey, text: string | RegExp) =>
  page.locator('.notification-toast', { hasText: text }).first();
const button = ({ page }: Journey, text: string) =>
  page.locator('.notification-toast .monaco-button', { hasText: text }).first();

/** An icon of the activity bar. */
const icon = ({ page }: Journey, name: string) =>
  page.locator(`.activitybar .action-label[aria-label^="${name}"]`).first();
/** A file in the Explorer. */
const fileRow = ({ page }: Journey, name: string) =>
  page.locator('.explorer-folders-view .monaco-list-row', { hasText: name }).first();

const openView = (journey: Journey) =>
  journey.click('Open the view of DeepTwist, by its icon in the activity bar', icon(journey, 'DeepTwist'));
const openExperiment = (journey: Journey) =>
  journey.click('Open the experiment in the Explorer', fileRow(journey, EXPERIMENT));

const firstContact: Scenario = {
  title: 'First contact: from an empty folder to the finished sample',
  clicks: 5,
  prepare: () => undefined,
  async walk(journey, folder) {
    const { page } = journey;
    await openView(journey);
    await journey.click('Press Get Started', page.getByRole('button', { name: 'Get Started' }).first());
    await journey.click('Press Open the Sample', page.getByRole('button', { name: 'Open the Sample' }).first());
    await journey.click('Press Run above the experiment', lens(journey, /^Run$|Run$/));
    await journey.wait('The run has finished', () => lastRunIs(folder, 'finished'));
    await journey.wait('A message says what it came to', toast(journey, /finished/));
  },
};

const ownModel: Scenario = {
  title: 'A model of TensorFlow.js, from the folder to the finished run',
  clicks: 10,
  prepare(folder) {
    writeArrays(folder);
    writeModule(folder);
  },
  async walk(journey, folder) {
    await openView(journey);
    await journey.click('Press New Experiment', journey.page.getByRole('button', { name: 'New Experiment' }).first());
    await journey.click('Choose Prune', row(journey, 'Prune'));
    await journey.press('Take the layers and rates that are proposed', 'Enter');
    await journey.press('Take the name that is proposed', 'Enter');
    await journey.click('Press Run above the experiment', lens(journey, /Run$/));
    await journey.wait('The run has finished', () => lastRunIs(folder, 'finished'));
    await journey.wait('A message says what it came to', toast(journey, /finished/));
  },
};

const fromPyTorch: Scenario = {
  title: 'A model of PyTorch, from its ONNX file to a smaller ONNX file',
  prepare(folder) {
    writeArrays(folder);
    writeOnnx(folder);
  },
  async walk(journey, folder) {
    await openView(journey);
    await journey.click('Press Import Model…', journey.page.getByRole('button', { name: 'Import Model' }).first());
    await journey.click('Choose net.onnx', row(journey, 'net.onnx'));
    await journey.click('Choose Prune', row(journey, 'Prune'));
    await journey.press('Take the layers and rates that are proposed', 'Enter');
    await journey.press('Take the name that is proposed', 'Enter');
    await journey.click('Press Run above the experiment', lens(journey, /Run$/));
    await journey.wait('The run has finished', () => lastRunIs(folder, 'finished'));
    await journey.click('Press Export Model… in the message', button(journey, 'Export Model'));
    await journey.click('Choose ONNX', row(journey, 'ONNX'));
    const dialog = journey.page.locator('.quick-input-widget', { hasText: 'Export Model' });
    await journey.click('Take the file that is proposed', dialog.getByRole('button', { name: 'OK' }));
    await journey.wait('A smaller ONNX file is there', () => exported(folder).length > 0);
    await journey.wait('A message says its size and the accuracy of the file', toast(journey, /\.onnx/));
  },
};

/** ONNX files beside that of the user. */
const exported = (folder: string) =>
  readdirSync(folder).filter((name) => name.endsWith('.onnx') && name !== 'net.onnx');

const ofSplit = (split: string) => ({ inputs: `data/x_${split}.npy`, targets: `data/y_${split}.npy` });
const arrays = { type: 'arrays', train: ofSplit('train'), test: ofSplit('test') };
const training = {
  loss: 'sparse-categorical-crossentropy-from-logits',
  optimizer: { type: 'adam', learningRate: 0.002 },
  batchSize: 50,
};

const failedRun: Scenario = {
  title: 'A failed run repaired: the data have other classes than the model',
  prepare(folder) {
    writeArrays(folder);
    writeModule(folder, 3);
    const experiment = {
      model: './classifier.ts',
      data: arrays,
      training: { ...training, steps: 1500 },
      compression: { method: 'prune', distortEvery: 10, layers: { hidden: { rate: 0.8 } } },
    };
    writeFileSync(join(folder, EXPERIMENT), JSON.stringify(experiment, null, 2));
  },
  async walk(journey, folder) {
    const { page } = journey;
    await openExperiment(journey);
    await journey.click('Press Run above it', lens(journey, /Run$/));
    await journey.wait('The run has failed', () => lastRunIs(folder, 'failed'));
    await journey.wait('A message says why', toast(journey, /failed/));
    await journey.click('Open the Explorer', icon(journey, 'Explorer'));
    await journey.click('Open the model', fileRow(journey, 'classifier.ts'));
    const units = page.locator('.view-line', { hasText: "name: 'logits'" }).locator('span', { hasText: /^3$/ });
    await journey.doubleClick('Select the number of units of the last layer', units);
    await journey.type('Write 4', '4');
    await journey.press('Save', 'Control+S');
    await journey.click('Press Run File As It Is Now in the message', button(journey, 'Run File As It Is Now'));
    await journey.wait('The run has finished', () => lastRunIs(folder, 'finished', 2));
    await journey.wait('A message says what it came to', toast(journey, /finished/));
  },
};

const RATES = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95];
/** None of them: it is in the file until the best takes its place. */
const FIRST_RATE = 0.4;
const SEEDS = [1, 2, 3, 4, 5];

const manyRuns: Scenario = {
  title: 'Thirty runs to a decision: six rates, five seeds, the best values into the file',
  prepare(folder) {
    writeArrays(folder);
    writeModule(folder);
    const experiment = {
      model: './classifier.ts',
      data: { ...arrays, split: { validation: 0.1 } },
      training: { ...training, steps: 600, evaluateEvery: 200 },
      compression: { method: 'prune', distortEvery: 10, layers: { hidden: { rate: FIRST_RATE } } },
      sweep: { vary: { 'compression.layers.hidden.rate': RATES, 'training.seed': SEEDS } },
    };
    writeFileSync(join(folder, EXPERIMENT), JSON.stringify(experiment, null, 2));
  },
  async walk(journey, folder) {
    const { page } = journey;
    await openExperiment(journey);
    await journey.click('Press Run Sweep above "sweep"', lens(journey, /Sweep/));
    const count = RATES.length * SEEDS.length;
    const finishedRuns = () => runsOf(folder).filter((run) => isIn('finished', run)).length;
    for (const part of [10, 20, count]) await journey.wait(`${part} runs have finished`, () => finishedRuns() >= part);
    await journey.click('Press Open Sweep in the message', button(journey, 'Open Sweep'));
    const sweep = webview(page);
    await journey.wait('Its page shows a row for each rate', sweep.locator('.rows-table tbody th').first());
    await journey.click('Sort by size', sweep.getByRole('button', { name: /size|bytes/i }).first());
    await journey.click(
      'Press Use These Values for the best row',
      sweep.getByRole('button', { name: 'Use These Values' }).first(),
    );
    await journey.press('Save', 'Control+S');
    await journey.wait('The best rate is in the file', () => !readFileSync(join(folder, EXPERIMENT), 'utf8').includes(`"rate": ${FIRST_RATE}`)); // prettier-ignore
  },
};

export const scenarios: Readonly<Record<string, Scenario>> = {
  'first-contact': firstContact,
  'own-model': ownModel,
  'from-pytorch': fromPyTorch,
  'failed-run': failedRun,
  'many-runs': manyRuns,
};
