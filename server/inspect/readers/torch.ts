/** @file Tensors of what `torch.save` wrote: of a state dict, and of a checkpoint beside its state dict. */
import { elementTypes, type ElementTypeName, type Numbers } from '../../formats/elementTypes.ts';
import { toRowMajor } from '../../formats/strided.ts';
import { isRowMajor, readTorchFile, type TorchTensor } from '../../formats/torch/torchFile.ts';
import { formatCount } from '../../protocol/formatQuantity.ts';
import { elementCount } from '../../protocol/shape.ts';
import { matrixViewOfTensor } from '../matrixView.ts';
import type { OpenedFile } from '../openedFile.ts';
import { bytesOfSegments, decodeElements } from '../storedNumbers.ts';
import type { StoredTensor } from '../tensor.ts';
import { uniqueNames, unreadable, type ReadModel } from './readModel.ts';

/** Numbers of a tensor that does not lie in the file row by row, which is put in order in memory. */
const MOST_GATHERED = 2 ** 26;

export function readTorch(file: OpenedFile): ReadModel {
  const unique = uniqueNames();
  const tensors = readTorchFile(file).map((tensor) => storedTensor({ ...tensor, name: unique(tensor.name) }, file));
  return { format: 'PyTorch checkpoint', tensors, metadata: [] };
}

function storedTensor(tensor: TorchTensor, file: OpenedFile): StoredTensor {
  const { name, shape, dtype, isOfModel, isSparse, storage } = tensor;
  const elements = elementCount(shape);
  const known = { name, shape, elements, dtype, bytes: 0, ...(!isOfModel && { isOfModel: false }) };
  if (isSparse)
    return unreadable(known, 'its zeros are not stored (a sparse tensor)', 'Save it with them: tensor.to_dense().');
  if (!isElementType(dtype))
    return unreadable(
      known,
      `its element type ${dtype} cannot be read`,
      `Save it as numbers of float32: tensor.${/^qu?int/.test(dtype) ? 'dequantize' : 'float'}().`,
    );
  const size = elementTypes[dtype].bits / 8;
  const span =
    elements === 0 ? 0 : 1 + shape.reduce((sum, length, axis) => sum + (length - 1) * tensor.strides[axis], 0);
  const begin = storage.begin + tensor.offset * size;
  const end = begin + span * size;
  if (!Number.isSafeInteger(elements) || !Number.isSafeInteger(end) || end > storage.end)
    return unreadable(
      known,
      `it needs ${end - storage.begin} bytes, but its storage has ${storage.end - storage.begin}`,
    );
  const stored = { ...known, bytes: span * size, view: matrixViewOfTensor(shape, name) };
  const inOrder = (count: number) => {
    const numbers = decodeElements(bytesOfSegments([{ file, begin, end }]), dtype, count);
    return tensor.isNegated ? negated(numbers) : numbers;
  };
  if (isRowMajor(tensor)) return { ...stored, numbers: () => inOrder(elements) };
  if (Math.max(elements, span) > MOST_GATHERED)
    return unreadable(
      known,
      `it is not contiguous, and has ${formatCount(elements)} numbers; at most ${formatCount(MOST_GATHERED)} are put in order`,
      'Save it contiguous: tensor.contiguous().',
    );
  return { ...stored, numbers: () => gathered(inOrder(span), tensor, span, elements) };
}

function isElementType(name: string): name is ElementTypeName {
  return Object.hasOwn(elementTypes, name);
}

async function* negated(parts: AsyncIterable<Numbers>): AsyncGenerator<Numbers> {
  for await (const part of parts) yield part.map((number) => 0 - number);
}

/**
 * The elements of a tensor in row-major order.
 * @param parts the `span` elements from its first to its last in the file
 */
async function* gathered(
  parts: AsyncIterable<Numbers>,
  { shape, strides }: TorchTensor,
  span: number,
  elements: number,
): AsyncGenerator<Numbers> {
  const stored = new Float64Array(span);
  let at = 0;
  for await (const part of parts) {
    stored.set(part, at);
    at += part.length;
  }
  yield toRowMajor(stored, shape, strides, new Float64Array(elements));
}
