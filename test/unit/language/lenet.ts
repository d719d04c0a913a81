/** @file An experiment file without a problem, in a folder with its data, its model's description and its runs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { JsonText } from '../../../server/protocol/experiment/jsonText.ts';
import {
  MODEL_DESCRIPTION_VERSION,
  type DescribedWeight,
  type ModelDescription,
} from '../../../server/protocol/model/modelDescription.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import { identify } from '../../../server/runs/liveProcess.ts';
import type { RunRecord } from '../../../server/runs/runRecord.ts';
import { modelSourceOf, writeDescription } from '../../../server/runs/storedDescriptions.ts';

export const lenet = `{
  // LeNet-300-100 of the paper
  "model": "builtin:lenet-300-100",
  "data": { "type": "mnist", "path": "./mnist" },
  "training": {
    "optimizer": { "type": "adam", "learningRate": 1e-3 },
    "batchSize": 50,
    "steps": 20000
  },
  "compression": {
    "method": "prune",
    "distortEvery": 10,
    "layers": {
      "fc1": { "rate": 0.98 },
      "fc2": { "rate": 0.9 }
    },
    "schedule": { "initialRate": 0.25, "from": 8000, "to": 13000, "exponent": 7 }
  }
}
`;

export function dense(layer: string, inputs: number, units: number): DescribedWeight[] {
  const common = { layer, layerClass: 'Dense', trainable: true };
  return [
    { ...common, name: `${layer}/kernel`, weight: 'kernel', shape: [inputs, units] },
    { ...common, name: `${layer}/bias`, weight: 'bias', shape: [units] },
  ];
}

export const lenetWeights = [...dense('fc1', 784, 300), ...dense('fc2', 300, 100), ...dense('fc3', 100, 10)];

/** One recurrent layer of 4 units over 6 inputs. */
const lstm = { layer: 'lstm1', layerClass: 'LSTM', trainable: true };
const lstmWeights: DescribedWeight[] = [
  { ...lstm, name: 'lstm1/kernel', weight: 'kernel', shape: [6, 16] },
  { ...lstm, name: 'lstm1/recurrent_kernel', weight: 'recurrent_kernel', shape: [4, 16] },
  { ...lstm, name: 'lstm1/bias', weight: 'bias', shape: [16] },
  ...dense('softmax', 4, 9).map((weight) => ({ ...weight, inputLayer: 'lstm1' })),
];

/** As a process that has loaded the model of the text would leave it. */
export async function describeModelOf(
  experiment: string,
  text: string,
  weights: DescribedWeight[],
  files: { path: string; sha256: string }[] = [],
  more: Partial<ModelDescription> = {},
): Promise<void> {
  const source = modelSourceOf(new JsonText(text).value());
  if (!source) throw new Error('The text has no model.');
  const model = JSON.stringify(source.model);
  const description = { version: MODEL_DESCRIPTION_VERSION, model, files, weights, samples: 60_000, ...more } as const;
  await writeDescription(experiment, source, description);
}

/** A run that nobody has trained. */
export async function writeRun(
  experiment: string,
  now: Date,
  state: RunRecord['state'],
  weights?: readonly DescribedWeight[],
): Promise<string> {
  const run = await createRun({ experiment, text: lenet, now });
  await run.update({ state, ...(state === 'running' && { process: identify(process.pid) }) });
  if (weights) writeFileSync(run.eventsFile, `${JSON.stringify({ type: 'started', layers: weights })}\n`);
  return run.id;
}

/**
 * Makes the data of {@link lenet}, other files that experiments name, runs to start from, and descriptions of the models of
 * `texts` that are LeNet-300-100 or an LSTM.
 */
export async function prepareFolder(folder: string, texts: readonly string[] = []): Promise<void> {
  writeData(folder);
  const run = (name: string, day: number, ...rest: [RunRecord['state'], typeof lenetWeights]) =>
    writeRun(join(folder, `${name}.deeptwist.jsonc`), new Date(2026, 0, day), ...rest);
  await run('stopped', 1, 'stopped', lenetWeights);
  await run('running', 2, 'running', lenetWeights);
  await run('other', 3, 'finished', lstmWeights);
  await run('base', 4, 'finished', lenetWeights);
  const file = join(folder, 'lenet.deeptwist.jsonc');
  await describeModelOf(file, lenet, lenetWeights);
  for (const text of texts) if (text.includes('"builtin": "lstm-lm"')) await describeModelOf(file, text, lstmWeights);
  for (const text of texts)
    if (text.includes('.onnx')) {
      const outputs = [{ name: 'y', shape: [null, 10], activation: 'other' as const }];
      await describeModelOf(file, text, lenetWeights, [], { hasLoss: false, outputs });
    }
}

function writeData(folder: string): void {
  for (const name of ['mnist', 'brown']) mkdirSync(join(folder, name), { recursive: true });
  for (const name of ['model.ts', 'net.onnx', 'x.npy', 'arrays.npz', 'words.txt'])
    writeFileSync(join(folder, name), '');
  writeFileSync(join(folder, 'pets.csv'), 'height;"fur colour";kind\n3;red;cat\n');
}
