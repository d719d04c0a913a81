/** @file The tensors of a file that a model can start from, of every kind that people have; their numbers are read when they are asked for. */
import { modelWeights } from '../../models/modelWeights.ts';
import { loadTfjsModel } from '../../models/tfjsModelFile.ts';
import { openModelFile } from '../../inspect/modelFile.ts';
import { INDEX_SUFFIX } from '../../formats/modelFileKind.ts';
import { toRowMajor } from '../../formats/strided.ts';
import type { StoredTensor } from '../../inspect/tensor.ts';
import { checkUserFile } from '../../modules/readUserFile.ts';
import { elementCount } from '../../protocol/shape.ts';
import { UserError } from '../../protocol/userError.ts';

export interface FileTensor {
  /** As the file has it. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major. @throws UserError that names file and tensor, where the numbers cannot be read */
  read(): Promise<Float32Array>;
}

export interface TensorFile {
  readonly tensors: readonly FileTensor[];
  close(): Promise<void>;
}

/**
 * @param path absolute path of a safetensors file, of one of `torch.save`, of the index of several, of Keras, of an ONNX file, or of a
 * tfjs `model.json`
 * @throws UserError for a file that is missing or damaged
 */
export async function openTensorFile(path: string): Promise<TensorFile> {
  const name = path.toLowerCase();
  if (name.endsWith('.json') && !name.endsWith(INDEX_SUFFIX)) return readTfjsModel(path);
  await checkUserFile(path, 'Export the weights again, or correct the path.');
  const file = await openModelFile(path);
  const tensors = file.tensors
    .filter(({ isOfModel }) => isOfModel !== false)
    .map((tensor) => ({ name: tensor.name, shape: tensor.shape, read: () => numbersOf(tensor, path) }));
  return { tensors, close: () => file.close() };
}

async function numbersOf(tensor: StoredTensor, path: string): Promise<Float32Array> {
  const numbers = new Float32Array(elementCount(tensor.shape));
  let at = 0;
  try {
    for await (const part of tensor.numbers()) {
      numbers.set(part, at);
      at += part.length;
    }
  } catch (error) {
    if (tensor.problem === undefined || !(error instanceof UserError)) throw error;
    throw new UserError(`${path}: ${tensor.problem}`, { remedy: error.remedy, cause: error });
  }
  const { shape, strides } = tensor;
  return strides ? toRowMajor(numbers, shape, strides, new Float32Array(numbers.length)) : numbers;
}

/** Through a model, so that the names are those that it would have here. */
async function readTfjsModel(path: string): Promise<TensorFile> {
  const { model } = await loadTfjsModel(path);
  const tensors = modelWeights(model).map(({ name, shape, variable }) => {
    const numbers = Float32Array.from(variable.dataSync());
    return { name, shape, read: () => Promise.resolve(numbers) };
  });
  model.dispose();
  return { tensors, close: () => Promise.resolve() };
}
