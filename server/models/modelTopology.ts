/**
 * @file The layers of a model as TensorFlow.js saves them, `modelTopology` of a model.json, to be written beside weights. Names that
 * TensorFlow.js made up are those of {@link modelWeights}: the same model has the same topology in every process.
 */
import type * as tf from '@tensorflow/tfjs';
import { isRecord } from '../protocol/record.ts';
import { messageOf } from '../protocol/thrown.ts';
import { UserError } from '../protocol/userError.ts';
import { stableLayerNames } from './modelWeights.ts';

/** @throws UserError for a model with a layer that cannot be saved */
export function modelTopology(model: tf.LayersModel): Record<string, unknown> {
  const topology = savedTopology(model);
  const names = stableLayerNames(model);
  // Inputs have no weights, and no stable name among those that do.
  model.inputs
    .map(({ sourceLayer }) => sourceLayer.name)
    .forEach((name, i) => {
      if (/^input\d+$/.test(name)) names.set(name, `input${i + 1}`);
    });
  const written = rewrite(topology, names);
  if (!isRecord(written) || !isRecord(written.config)) throw new TypeError('A topology has a table of settings.');
  return { ...written, config: { ...written.config, name: 'model' } };
}

/** A topology without what only the start of a training needs. */
export function forPrediction(topology: unknown): unknown {
  return rewrite(topology, new Map());
}

function savedTopology(model: tf.LayersModel): unknown {
  try {
    return model.toJSON(null, false);
  } catch (error) {
    throw new UserError(`The layers of the model cannot be saved: ${messageOf(error)}.`, {
      remedy: 'A layer class of your own needs getConfig() and a className. Or export as ONNX, which needs neither.',
      cause: error,
    });
  }
}

/** Gives layers their stable names, and leaves out what only the start of a training needs: a model that is loaded has its weights. */
function rewrite(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) {
    const [layer, node] = value as unknown[];
    // A tensor: [layer, node, tensor, …].
    if (typeof layer === 'string' && typeof node === 'number')
      return [names.get(layer) ?? layer, ...value.slice(1).map((entry) => rewrite(entry, names))];
    return value.map((entry) => rewrite(entry, names));
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, entry]): [string, unknown][] => {
      if (key === 'name' && typeof entry === 'string') return [[key, names.get(entry) ?? entry]];
      if (key.endsWith('_initializer')) return [[key, 'zeros']];
      if (entry === null && /_(regularizer|constraint)$/.test(key)) return [];
      return [[key, rewrite(entry, names)]];
    }),
  );
}
