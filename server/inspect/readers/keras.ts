/** @file Tensors of the files of Keras, under the names of their layers, and arrays of any other HDF5 file. */
import { elementTypes, bytesOfElements } from '../../formats/elementTypes.ts';
import { openKerasFile, type KerasFile } from '../../formats/keras/kerasFile.ts';
import { kerasTensorName, kerasTensors, type KerasTensor } from '../../formats/keras/kerasTensors.ts';
import { elementCount } from '../../protocol/shape.ts';
import { matrixViewOfTensor } from '../matrixView.ts';
import type { OpenedFile } from '../openedFile.ts';
import type { StoredTensor } from '../tensor.ts';
import { uniqueNames, unreadable, type ReadModel } from './readModel.ts';

export async function readKeras(file: OpenedFile): Promise<ReadModel> {
  const opened = await openKerasFile(file);
  try {
    const unique = uniqueNames();
    const tensors = kerasTensors(opened).map((tensor) =>
      storedTensor(tensor, unique(kerasTensorName(tensor)), opened, file),
    );
    const { format, version } = opened;
    return {
      format,
      tensors,
      metadata: version === undefined ? [] : [['Keras', version]],
      close: () => opened.close(),
    };
  } catch (error) {
    opened.close();
    throw error;
  }
}

function storedTensor(
  { dataset, isOfModel }: KerasTensor,
  name: string,
  { weights }: KerasFile,
  file: OpenedFile,
): StoredTensor {
  const { shape, type, kind, problem } = dataset;
  const elements = elementCount(shape);
  const known = { name, shape, elements, dtype: kind, bytes: 0, ...(!isOfModel && { isOfModel }) };
  if (problem) return unreadable(known, problem.reason, problem.remedy);
  if (type === undefined || type === 'string') return unreadable(known, `it holds ${kind}, not numbers`);
  return {
    ...known,
    bytes: bytesOfElements(type, elements),
    view: matrixViewOfTensor(shape, name),
    async *numbers() {
      for (const part of weights.parts(dataset)) {
        await file.expectUnchanged();
        yield elementTypes[type].decode(part);
      }
    },
  };
}
