/** @file Opens files of models and arrays to look at them: their tensors at once, the numbers in them when they are asked for. */
import { basename, extname } from 'node:path';
import { FormatError } from '../formats/formatError.ts';
import { fileKindOf } from '../formats/fileKind.ts';
import { TORCH_EXTENSIONS } from '../formats/torch/torchFile.ts';
import { notUsable } from '../modules/readUserFile.ts';
import { UserError } from '../protocol/userError.ts';
import { OpenedFile } from './openedFile.ts';
import { readNpy, readNpz } from './readers/npy.ts';
import { readOnnx } from './readers/onnx.ts';
import { MOST_TENSORS, type ReadModel } from './readers/readModel.ts';
import { readSafetensors } from './readers/safetensors.ts';
import { INDEX_SUFFIX, readShards } from './readers/shards.ts';
import { readTfjs } from './readers/tfjs.ts';
import { readTorch } from './readers/torch.ts';
import type { ModelFile, StoredTensor } from './tensor.ts';

/** Bytes that tell what a file is. */
const HEAD_BYTES = 512;
/** Files of external data and shards that a model has at most. */
const MOST_FILES = 1000;
const REMEDY = 'Write or download the file again.';

type OpenBeside = (path: string) => Promise<OpenedFile>;

const readers: Readonly<Record<string, (file: OpenedFile, openBeside: OpenBeside) => ReadModel | Promise<ReadModel>>> =
  {
    '.safetensors': readSafetensors,
    '.onnx': readOnnx,
    '.npz': readNpz,
    '.npy': (file) => readNpy(file, basename(file.path, '.npy')),
    ...Object.fromEntries(TORCH_EXTENSIONS.map((extension) => [extension, readTorch])),
    '.json': (file, openBeside) =>
      file.path.toLowerCase().endsWith(INDEX_SUFFIX) ? readShards(file, openBeside) : readTfjs(file, openBeside),
  };

/**
 * Opens a `.safetensors`, `.onnx`, `.npz` or `.npy` file, one of `torch.save`, a `model.json`, or the index of a model in several files. Only what it says of its tensors is read.
 * @param path absolute
 * @throws UserError that names the file: missing, no file, of another format, damaged
 */
export async function openModelFile(path: string): Promise<ModelFile> {
  const extension = extname(path).toLowerCase();
  if (!Object.hasOwn(readers, extension))
    throw new UserError(`${path} is no model file that can be read.`, {
      remedy: `Name a file of one of these kinds: ${Object.keys(readers).join(', ')} (TensorFlow.js).`,
    });
  const opened = new Map<string, OpenedFile>();
  const open = async (other: string): Promise<OpenedFile> => {
    const known = opened.get(other);
    if (known) return known;
    if (opened.size >= MOST_FILES) throw new UserError(`${path} names more than ${MOST_FILES} files.`);
    const file = await OpenedFile.open(other);
    opened.set(other, file);
    return file;
  };
  const close = async () => {
    await Promise.all([...opened.values()].map((file) => file.close()));
  };
  try {
    const file = await open(path);
    const head = file.read(0, Math.min(file.length, HEAD_BYTES));
    const explained = (error: unknown) => (error instanceof FormatError ? notUsable(path, error, head, REMEDY) : error);
    try {
      // An empty file is a valid message of ONNX.
      if (fileKindOf(head)) throw new FormatError('it holds something else');
      const model = await readers[extension](file, open);
      if (model.tensors.length > MOST_TENSORS) throw new FormatError(`it has more than ${MOST_TENSORS} tensors`);
      const tensors = model.tensors.map((tensor) => explaining(tensor, path));
      return { path, bytes: file.length, ...model, tensors, close };
    } catch (error) {
      throw explained(error);
    }
  } catch (error) {
    await close();
    throw error;
  }
}

/** The same tensor; what is wrong with its bytes is told with its name and that of the file. */
function explaining(tensor: StoredTensor, path: string): StoredTensor {
  return {
    ...tensor,
    async *numbers() {
      try {
        yield* tensor.numbers();
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        throw new UserError(`${path}: '${tensor.name}' is not usable: ${error.message}.`, {
          remedy: error.remedy ?? REMEDY,
          cause: error,
        });
      }
    },
  };
}
