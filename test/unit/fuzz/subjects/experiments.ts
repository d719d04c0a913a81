import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { ExperimentDocument } from '../../../../server/language/experimentDocument.ts';
import { diagnosticsOf } from '../../../../server/language/findings/diagnostics.ts';
import { SurroundingsFinder } from '../../../../server/language/surroundings.ts';
import { EXPERIMENT_LANGUAGE } from '../../../../server/protocol/wire/language.ts';
import { loadExperiment } from '../../../../server/runs/loadExperiment.ts';
import { json, pick, type Mutation } from '../mutations.ts';
import type { Subject } from '../subject.ts';

const experiment = {
  model: 'builtin:lenet-5',
  start: 'run:last',
  data: { type: 'text', files: { train: 'a.txt', test: 'b.txt' }, timeSteps: 20, vocabulary: { size: 100 } },
  training: {
    optimizer: { type: 'adam', learningRate: 0.001 },
    learningRateSchedule: { type: 'step', every: 100, factor: 0.5 },
    batchSize: 50,
    epochs: 2,
    clip: { globalNorm: 5 },
  },
  compression: {
    method: 'prune',
    distortEvery: 10,
    layers: { 'fc*': { rate: 0.9 }, conv1: { rate: 0.5 } },
    schedule: { initialRate: 0.25, from: 10, to: 100, exponent: 3 },
  },
};

const FILE = 'e.deeptwist.jsonc';

/** As an editor shows it: a text that cannot be decoded, too. */
async function textOf(file: string): Promise<string> {
  const isFile = await stat(file).then(
    (status) => status.isFile(),
    () => false,
  );
  return isFile ? readFile(file, 'utf8') : '';
}

/** By the command line and by the language server. */
async function read(folder: string, overrides: readonly string[]): Promise<void> {
  const file = join(folder, FILE);
  const text = await textOf(file);
  const uri = pathToFileURL(file).href;
  const document = new ExperimentDocument(TextDocument.create(uri, EXPERIMENT_LANGUAGE, 1, text));
  const finder = new SurroundingsFinder({ textOf: () => undefined });
  diagnosticsOf(document, await finder.around(document));
  await loadExperiment(file, overrides);
}

export const experiments: Subject = {
  name: 'experiment files',
  cases: 230,
  files: () => Promise.resolve({ [FILE]: JSON.stringify(experiment, null, 2) }),
  mutations: { [FILE]: json },
  read: (folder) => read(folder, []),
};

const paths = [
  'training.epochs',
  'data.files.train',
  'compression.layers.fc1.rate',
  'a["b=c"].d',
  'compression',
  'model',
];
const values = [
  '1',
  'null',
  '{}',
  '[]',
  '"x"',
  '1e999',
  '-1',
  'x'.repeat(100_000),
  '['.repeat(20_000) + ']'.repeat(20_000),
];
const overrides = [
  '',
  '=',
  'a',
  '["',
  `["${'='.repeat(1_000_000)}`,
  `${'a.'.repeat(20_000)}a=1`,
  '__proto__.polluted=1',
  'constructor.prototype.polluted=1',
  'compression.layers.__proto__.rate=0.5',
  'training[0]=1',
  '\u0000=\u0000',
];

/** The overrides are in a file beside the experiment, as they are in a run's record. */
const ofOverrides: Mutation[] = [
  (_, random) => {
    const list = [`${pick(paths, random)}=${pick(values, random)}`, `${pick(paths, random)}=${pick(values, random)}`];
    return { content: Buffer.from(JSON.stringify(list)), what: list.map((text) => text.slice(0, 50)).join(' ') };
  },
  (_, random) => {
    const override = pick(overrides, random);
    return { content: Buffer.from(JSON.stringify([override])), what: override.slice(0, 50) };
  },
];

export const settings: Subject = {
  name: 'overrides (--set)',
  cases: 150,
  files: async () => ({ ...(await experiments.files()), 'overrides.json': '["training.epochs=3"]' }),
  mutations: { 'overrides.json': ofOverrides },
  read: async (folder) => {
    const text = await textOf(join(folder, 'overrides.json'));
    await read(folder, text === '' ? [] : (JSON.parse(text) as string[]));
    if ('polluted' in {}) throw new Error('Object.prototype was changed.');
  },
};
