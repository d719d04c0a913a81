/** @file The table of layers, by their class in a Keras topology. */
import { FormatError } from '../../server/formats/formatError.ts';
import { isModel } from '../graph.ts';
import { activationLayers } from './activations.ts';
import { innerModel, timeDistributed } from './composite.ts';
import { dense } from './dense.ts';
import { embedding } from './embedding.ts';
import { passThrough, type MakeLayer } from './layer.ts';
import { mergeLayers } from './merge.ts';
import { movementLayers } from './movement.ts';
import { normalizationLayers } from './normalization.ts';
import { recurrentLayers } from './recurrent.ts';
import { windowLayers } from './windows.ts';

const layers: Readonly<Record<string, MakeLayer>> = {
  InputLayer: passThrough,
  Dropout: passThrough,
  SpatialDropout1D: passThrough,
  GaussianDropout: passThrough,
  GaussianNoise: passThrough,
  AlphaDropout: passThrough,
  Dense: dense,
  Embedding: embedding,
  ...activationLayers,
  ...windowLayers,
  ...normalizationLayers,
  ...movementLayers,
  ...mergeLayers,
  ...recurrentLayers,
};

/** @throws FormatError for a class that is not in the table, and where settings or weights do not fit */
export const makeLayer: MakeLayer = (config, store) => {
  if (isModel(config)) return innerModel(makeLayer)(config, store);
  if (config.className === 'TimeDistributed') return timeDistributed(makeLayer)(config, store);
  if (Object.hasOwn(layers, config.className)) return layers[config.className](config, store);
  throw new FormatError(
    `its layer '${config.name}' is of the class ${config.className.slice(0, 40)}, which the runtime does not know`,
    { remedy: 'Export the model as ONNX, or make the layer of others.' },
  );
};
