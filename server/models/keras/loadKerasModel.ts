/** @file A model that Keras saved, with its weights, as one of TensorFlow.js's layers. */
import type * as tf from '@tensorflow/tfjs';
import { FormatError } from '../../formats/formatError.ts';
import type { Hdf5Dataset } from '../../formats/hdf5.ts';
import { openKerasFile, type KerasFile } from '../../formats/keras/kerasFile.ts';
import { kerasTensorName, kerasTensors, type KerasTensor } from '../../formats/keras/kerasTensors.ts';
import { float32Of } from '../../formats/elementTypes.ts';
import { sourceOf } from '../../formats/byteSource.ts';
import type { StoredTensor } from '../../formats/packed/packedFile.ts';
import { notUsable, readUserFile } from '../../modules/readUserFile.ts';
import { UserError } from '../../protocol/userError.ts';
import type { Loss } from '../losses.ts';
import { stableLayerNames } from '../modelWeights.ts';
import { storedModel } from '../storedModel.ts';
import { lossOfKeras } from './lossOfKeras.ts';
import { topologyOfKeras } from './topologyOfKeras.ts';

export interface LoadedKerasModel {
  readonly model: tf.LayersModel;
  /** What the model was compiled with. */
  readonly loss?: Loss;
  readonly files: string[];
  readonly warnings: string[];
}

const SAVE_AGAIN = "Save the model again (in Python: model.save('net.keras')), or copy the file again.";
const NOT_NUMBERS = "Save it as a .keras file, which says what its numbers are (in Python: model.save('net.keras')).";
const NOT_THERE =
  "Export the model as ONNX (in Python: model.export('net.onnx', format='onnx')), and name that; or replace these layers by others, " +
  'and save it again.';

/**
 * @param path absolute path of a `.keras` file, or of an `.h5` file with layers
 * @throws UserError where the file is missing or damaged, holds weights alone, or has layers that TensorFlow.js lacks
 */
export async function loadKerasModel(path: string): Promise<LoadedKerasModel> {
  const bytes = await readUserFile(path, (content) => content, SAVE_AGAIN);
  let file: KerasFile | undefined;
  try {
    file = await openKerasFile(sourceOf(bytes));
    return await modelOf(file, path);
  } catch (error) {
    throw error instanceof FormatError ? notUsable(path, error, bytes, SAVE_AGAIN) : error;
  } finally {
    file?.close();
  }
}

async function modelOf(file: KerasFile, path: string): Promise<LoadedKerasModel> {
  const { model: described, compiled, version, weights } = file;
  if (!described)
    throw new UserError(
      `${path} holds ${file.layout === 'plain' ? 'arrays' : 'weights'} without the layers of their model.`,
      {
        remedy:
          'Save the whole model (in Python: model.save(\'net.keras\')); or name the file as "start", and as "model" a module with the ' +
          'layers (createModel()).',
      },
    );
  const { topology, missing, warnings } = topologyOfKeras(described, version);
  if (missing.length > 0)
    throw new UserError(`${path} has layers that TensorFlow.js does not have: ${missing.join(', ')}.`, {
      remedy: NOT_THERE,
    });
  const tensors = kerasTensors(file).filter(({ isOfModel }) => isOfModel);
  const model = await storedModel(
    topology,
    (made) => storedTensors(made, tensors, (dataset) => weights.read(dataset)),
    path,
    { weights: SAVE_AGAIN, layers: NOT_THERE },
  );
  const loss = lossOfKeras(compiled);
  return { model, ...(loss && { loss }), files: [path], warnings: [...warnings] };
}

/** The tensors under the names that the weights of the model have here. */
function storedTensors(
  model: tf.LayersModel,
  tensors: readonly KerasTensor[],
  read: (dataset: Hdf5Dataset) => Uint8Array,
): ReadonlyMap<string, StoredTensor> {
  const names = stableLayerNames(model);
  return new Map(
    tensors.map(({ layers, weight, dataset }) => {
      const { shape, type } = dataset;
      const name = kerasTensorName({ layers: layers.map((layer) => names.get(layer) ?? layer), weight });
      if (type === undefined || type === 'string')
        throw new FormatError(`'${dataset.path}' holds ${dataset.kind}, not numbers`, { remedy: NOT_NUMBERS });
      return [name, { shape, data: float32Of(type, read(dataset)) }];
    }),
  );
}
