/**
 * @file A model of an ONNX file is trained with a compression and exported, and the file is computed by the onnxruntime of Node.js and of
 * Python beside what the compressed model predicts.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportRun } from '../../server/export/index.ts';
import { TracedModel } from '../../server/export/tracedModel.ts';
import { decodeNpz } from '../../server/formats/npy.ts';
import { loadModel } from '../../server/models/loadModel.ts';
import { modelWeights, type ModelWeight } from '../../server/models/modelWeights.ts';
import { elementCount } from '../../server/protocol/shape.ts';
import { runExperiment, withFinalModel } from '../../server/training/index.ts';
import { checkInPython } from './givenPython.ts';
import { samplesOf, isOfFloats } from './importedReference.ts';

const STEPS = 200;
/** Steps from one distortion to the next. */
const EVERY = 20;
/** Rows and columns of the matrices that are compressed, at least. */
const LEAST = 8;

export const METHODS = ['prune', 'quantize', 'low-rank'] as const;
export type Method = (typeof METHODS)[number];

/** Differences of the outputs of an exported file, as parts of the largest output or of 1. */
export interface ExportedDifferences {
  readonly node: number;
  readonly python: number;
  /** Weights that the file has in a compressed form. */
  readonly compressed: number;
}

/** @param folder that export_models.py wrote */
export async function trainAndExport(python: string, folder: string, method: Method): Promise<ExportedDifferences> {
  const place = join(folder, `trained-${method}`);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  const archive = readFileSync(join(folder, 'reference.npz'));
  const [input, target] = [decodeNpz(archive, 'input'), decodeNpz(archive, 'target')];
  const [size, ...sample] = input.shape;
  const { model } = await loadModel('./model.onnx', { baseDirectory: folder, seed: 1 });
  const data = { inputs: '../reference.npz:input', targets: '../reference.npz:target' };
  const file = join(place, 'trained.deeptwist.jsonc');
  const experiment = {
    model: '../model.onnx',
    data: { type: 'arrays', train: data, test: data },
    training: {
      loss: isOfFloats(target) ? 'mean-squared-error' : 'sparse-categorical-crossentropy-from-logits',
      optimizer: { type: 'sgd', learningRate: 0.01 },
      batchSize: size,
      steps: STEPS,
      threads: 1,
    },
    compression: { method, distortEvery: EVERY, layers: layersOf(modelWeights(model), method) },
  };
  writeFileSync(file, JSON.stringify(experiment, undefined, 2));
  const { signal } = new AbortController();
  const { run, state } = await runExperiment({
    file,
    overrides: [],
    out: join(place, 'run'),
    onEvent: () => undefined,
    signal,
  });
  if (state !== 'finished') throw new Error(`The training of ${file} has not finished: ${state}.`);
  const path = join(place, 'model.onnx');
  const report = await exportRun({ run, path, dense: false, signal, onProgress: () => undefined });
  const tensors = await withFinalModel({ run }, 'export', async ({ program, parameters }) => {
    const predicting = new TracedModel(program, 1, parameters.list);
    const numbers = samplesOf(input);
    const [{ values, shape }] = await predicting.predict(size, [numbers]);
    await predicting.release();
    const dtype = isOfFloats(input) ? 'float32' : 'int64';
    return {
      inputs: [{ name: report.inputs[0].name, dtype, shape: [size, ...sample], values: Array.from(numbers) }],
      outputs: [{ name: report.outputs[0].name, shape, values: Array.from(values) }],
    };
  });
  writeFileSync(join(place, 'tensors.json'), JSON.stringify(tensors));
  const { difference, largest } = checkInPython(python, place);
  return {
    node: report.largestDifference,
    python: difference / Math.max(1, largest),
    compressed: report.weights.filter(({ form }) => form !== 'dense').length,
  };
}

/** All matrices that are not small, each with its parameters. */
function layersOf(weights: readonly ModelWeight[], method: Method): Record<string, object> {
  const matrices = weights.flatMap(({ name, shape, outputAxis, trainable }) => {
    if (outputAxis === undefined || !trainable) return [];
    const rows = shape[outputAxis];
    const least = Math.min(rows, elementCount(shape) / rows);
    return least < LEAST ? [] : [{ name, least }];
  });
  const parameters = { prune: () => ({ rate: 0.8 }), quantize: () => ({ bits: 2 }), 'low-rank': rankOf } as const;
  return Object.fromEntries(matrices.map(({ name, least }) => [name, parameters[method](least)]));
}

function rankOf(least: number): { rank: number } {
  return { rank: Math.max(1, Math.floor(least / 4)) };
}
