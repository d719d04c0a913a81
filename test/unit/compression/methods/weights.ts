/** @file Weights of a model that live in plain arrays, for tests of methods. */
import type { CompressibleWeight } from '../../../../server/compression/targets/targets.ts';
import { compressionsOf } from '../../../../server/protocol/experiment/compressions.ts';
import { parseExperiment } from '../../../../server/protocol/experiment/parseExperiment.ts';
import type { Compression } from '../../../../server/protocol/experiment/schema.ts';
import { elementCount } from '../../../../server/protocol/shape.ts';
import { normals } from '../random.ts';

/** A weight of normal numbers. */
export function weight(name: string, shape: readonly number[], layerClass = 'Dense'): CompressibleWeight {
  const [layer, own] = name.split('/');
  return { name, layer, weight: own, layerClass, shape, values: normals(elementCount(shape), name.length) };
}

/** Compressions as they are written, with the defaults of the schema. */
export function compressions(...settings: readonly object[]): Compression[] {
  const text = JSON.stringify({
    model: './model.ts',
    data: { type: 'mnist', path: './data' },
    training: { optimizer: { type: 'sgd', learningRate: 1 }, batchSize: 1, epochs: 100 },
    compression: settings,
  });
  return compressionsOf(parseExperiment(text, { file: 'e.deeptwist.jsonc' })).map((compression) => ({
    ...compression,
    unit: 'steps',
  }));
}
