/**
 * @file ONNX files that other programs wrote, as packages carry them: which come in as models, and what those predict beside ONNX Runtime.
 * Dimensions that a file leaves open are given a size.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { ort } from '../../server/formats/onnxRuntime.ts';
import { TracedModel } from '../../server/export/tracedModel.ts';
import { Random } from '../../server/formats/random.ts';
import { loadModel } from '../../server/models/loadModel.ts';
import { modelWeights } from '../../server/models/modelWeights.ts';
import { graphOf } from '../../server/models/onnx/graphLayer.ts';
import { elementCount } from '../../server/protocol/shape.ts';
import { predictorOf } from '../../server/training/modelProgram.ts';
import { messageOf } from '../../server/protocol/thrown.ts';
import { largestDifference } from '../unit/models/largestDifference.ts';

/** Size of a dimension that is open: one that halves five times, as images of detectors do. */
const OPEN = 64;
const BATCH = 2;

export interface ImportedFile {
  readonly file: string;
  /** Undefined for a file that does not come in. */
  readonly found?: {
    readonly nodes: number;
    readonly weights: number;
    /** Largest difference of an output from ONNX Runtime, as a part of the largest one or of 1; undefined where that does not run. */
    readonly difference: number | undefined;
  };
  /** Why the file does not come in, or is not compared. */
  readonly reason?: string;
}

/** Imports all ONNX files below a folder. */
export async function* importFiles(folder: string): AsyncGenerator<ImportedFile> {
  await tf.setBackend('cpu');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.onnx'));
  for (const file of files.sort()) yield await importFile(folder, file);
}

async function importFile(folder: string, file: string): Promise<ImportedFile> {
  const path = join(folder, file);
  try {
    const session = await ort.InferenceSession.create(path, { logSeverityLevel: 4 }).catch(() => undefined);
    const inputs = session?.inputMetadata.map((input) => ({
      shape:
        'shape' in input
          ? input.shape.slice(1).map((size) => (typeof size === 'number' && size > 0 ? size : OPEN))
          : [],
    }));
    const samples = inputs && { batchSize: BATCH, inputs };
    const reference = `./${file}`;
    const { model } = await loadModel(reference, { baseDirectory: folder, seed: 1, ...(samples && { samples }) });
    const { nodes } = graphOf(model)?.settings.graph ?? { nodes: [] };
    const found = { nodes: nodes.length, weights: modelWeights(model).length };
    const difference = session && (await differenceFrom(session, model).catch((error: unknown) => messageOf(error)));
    model.dispose();
    await session?.release();
    return typeof difference === 'number'
      ? { file, found: { ...found, difference } }
      : { file, found: { ...found, difference: undefined }, reason: difference ?? 'ONNX Runtime does not open it' };
  } catch (error) {
    return {
      file,
      reason: messageOf(error)
        .replace(path, '')
        .replace(/^\S*( is not usable)?:? ?/, ''),
    };
  }
}

async function differenceFrom(session: InferenceSession, model: tf.LayersModel): Promise<number> {
  const random = new Random(3);
  const tensors = model.inputs.map(({ shape: [batch, ...sample], dtype }) => {
    const shape = [batch ?? BATCH, ...sample.map(Number)];
    const values = Float32Array.from({ length: elementCount(shape) }, () => random.uniform());
    return { shape, values: dtype === 'int32' ? Int32Array.from(values, (value) => 50 * value) : values, dtype };
  });
  const feeds = tensors.map(({ shape, values }, i): [string, Tensor] => {
    const { type } = session.inputMetadata[i] as { type: string };
    const tensor =
      type === 'int64'
        ? new ort.Tensor(
            'int64',
            BigInt64Array.from(values, (value) => BigInt(value)),
            shape,
          )
        : values instanceof Int32Array
          ? new ort.Tensor('int32', values, shape)
          : new ort.Tensor('float32', values, shape);
    return [session.inputNames[i], tensor];
  });
  const expected = await session.run(Object.fromEntries(feeds));
  const predictor = predictorOf(
    model,
    modelWeights(model),
    tensors.map(({ shape, dtype }) => ({ shape: shape.slice(1), dtype: dtype as 'float32' | 'int32' })),
  );
  const predicting = new TracedModel(
    predictor,
    model.outputs.length,
    predictor.weights.map(({ name, variable }) => ({ name, value: new Float32Array(variable.dataSync()) })),
  );
  const predicted = await predicting.predict(
    tensors[0].shape[0],
    tensors.map(({ values }) => values),
  );
  await predicting.release();
  const outputs = predicted.map(({ values }) => values);
  return Math.max(
    ...outputs.map((output, i) => {
      const numbers = Array.from(expected[session.outputNames[i]].data as ArrayLike<number | bigint>, Number);
      return largestDifference(output, numbers);
    }),
  );
}
