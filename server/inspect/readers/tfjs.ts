/** @file Weights of a `model.json` of TensorFlow.js, in the shards beside it. */
import { FormatError } from '../../formats/formatError.ts';
import { weightNames } from '../../formats/kerasTopology.ts';
import { fileBeside } from '../../modules/fileBeside.ts';
import { parseWeightList, SAVE_AGAIN } from '../../modules/modelArtifacts.ts';
import { elementCount } from '../../protocol/shape.ts';
import { UserError } from '../../protocol/userError.ts';
import { bytesOfElements, type ElementTypeName, type Numbers } from '../../formats/elementTypes.ts';
import { matrixViewOfTensor } from '../matrixView.ts';
import type { OpenedFile } from '../openedFile.ts';
import { bytesOfSegments, decodeElements, type Segment } from '../storedNumbers.ts';
import type { StoredTensor } from '../tensor.ts';
import { uniqueNames, unreadable, type ReadModel } from './readModel.ts';

/** A topology of a hundred layers has 100 kB. */
const MOST_JSON_BYTES = 100_000_000;

type Weight = NonNullable<ReturnType<typeof parseWeightList>['weightsManifest']>[number]['weights'][number];

const types: Readonly<Record<string, ElementTypeName>> = {
  float32: 'float32',
  int32: 'int32',
  bool: 'bool',
  float16: 'float16',
  uint8: 'uint8',
  uint16: 'uint16',
};

/** @param openBeside opens a shard, each once */
export async function readTfjs(
  file: OpenedFile,
  openBeside: (path: string) => Promise<OpenedFile>,
): Promise<ReadModel> {
  if (file.length > MOST_JSON_BYTES)
    throw new FormatError(`it has ${file.length} bytes; a model.json has at most ${MOST_JSON_BYTES}`);
  const { weightsManifest, modelTopology, format, ...rest } = parseWeightList(file.read(0, file.length));
  const nameOf = weightNames(modelTopology ?? {});
  const unique = uniqueNames();
  const tensors: StoredTensor[] = [];
  for (const { paths, weights } of weightsManifest ?? []) {
    const shards = await openShards(file.path, paths, openBeside);
    let begin = 0;
    for (const weight of weights) {
      const known = describe(weight, unique(nameOf(weight.name)));
      tensors.push(
        shards instanceof UserError
          ? unreadable(known, shards.message, shards.remedy)
          : tensorOf(known, weight, begin, shards),
      );
      begin += known.bytes;
    }
  }
  const told = Object.entries({ format, ...rest }).filter(([, value]) => typeof value === 'string');
  return { format: 'TensorFlow.js model', tensors, metadata: told.map(([key, value]) => [key, String(value)]) };
}

/** What keeps the shards from being read is told at each weight. */
async function openShards(
  path: string,
  names: readonly string[],
  openBeside: (path: string) => Promise<OpenedFile>,
): Promise<readonly OpenedFile[] | UserError> {
  try {
    const shards: OpenedFile[] = [];
    for (const name of names) shards.push(await openBeside((await fileBeside(path, name, SAVE_AGAIN)).file));
    return shards;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

function describe({ shape, dtype, quantization }: Weight, name: string) {
  const elements = elementCount(shape);
  const stored = quantization?.dtype ?? dtype;
  const bytes = Object.hasOwn(types, stored) ? bytesOfElements(types[stored], elements) : NaN;
  return { name, shape, dtype, elements, bytes, ...(quantization && { form: quantization.dtype }) };
}

function tensorOf(
  known: ReturnType<typeof describe>,
  { dtype, quantization }: Weight,
  begin: number,
  shards: readonly OpenedFile[],
): StoredTensor {
  const { name, shape, elements, bytes } = known;
  const stored = quantization?.dtype ?? dtype;
  if (!Object.hasOwn(types, stored))
    return unreadable({ ...known, bytes: 0 }, `the element type ${stored.slice(0, 40)} cannot be read`);
  const end = begin + bytes;
  if (!Number.isSafeInteger(begin)) return unreadable(known, 'it stands behind a weight that cannot be read');
  const segments = segmentsOf(shards, begin, end);
  const found = segments.reduce((sum, segment) => sum + segment.end - segment.begin, 0);
  if (!Number.isSafeInteger(end) || found !== bytes)
    return unreadable(known, `it needs ${bytes} bytes, but its weight files have ${found} left`, SAVE_AGAIN);
  const { scale = 1, min = 0 } = quantization ?? {};
  const isScaled = quantization !== undefined && (scale !== 1 || min !== 0);
  return {
    ...known,
    view: matrixViewOfTensor(shape, name),
    numbers: () => {
      const numbers = decodeElements(bytesOfSegments(segments), types[stored], elements);
      return isScaled ? scaled(numbers, scale, min) : numbers;
    },
  };
}

/** The part of a range of all shards, one behind the other, that lies in each. */
function segmentsOf(shards: readonly OpenedFile[], begin: number, end: number): Segment[] {
  const segments: Segment[] = [];
  let start = 0;
  for (const file of shards) {
    const [from, to] = [Math.max(begin, start) - start, Math.min(end, start + file.length) - start];
    if (from < to) segments.push({ file, begin: from, end: to });
    start += file.length;
  }
  return segments;
}

async function* scaled(parts: AsyncIterable<Numbers>, scale: number, minimum: number): AsyncGenerator<Numbers> {
  for await (const part of parts) yield part.map((value) => value * scale + minimum);
}
