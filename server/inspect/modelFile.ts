/** @file Opens files of models and arrays to look at them: their tensors at once, the numbers in them when they are asked for. */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { FormatError } from '../formats/formatError.ts';
import { fileKindOf } from '../formats/fileKind.ts';
import { endingsOfModelFiles, MARK_BYTES, modelFileKind, type ModelFileKind } from '../formats/modelFileKind.ts';
import { modelFolder } from '../modules/modelFolder.ts';
import { notUsable } from '../modules/readUserFile.ts';
import { UserError } from '../protocol/userError.ts';
import { OpenedFile } from './openedFile.ts';
import { readKeras } from './readers/keras.ts';
import { readNpy, readNpz } from './readers/npy.ts';
import { readOnnx } from './readers/onnx.ts';
import { MOST_TENSORS, type ReadModel } from './readers/readModel.ts';
import { readSafetensors } from './readers/safetensors.ts';
import { readShards } from './readers/shards.ts';
import { readTfjs } from './readers/tfjs.ts';
import { readTorch } from './readers/torch.ts';
import type { ModelFile, StoredTensor } from './tensor.ts';

/** Files of external data and shards that a model has at most. */
const MOST_FILES = 1000;
const REMEDY = 'Write or download the file again.';

type OpenBeside = (path: string) => Promise<OpenedFile>;

type Reader = (file: OpenedFile, openBeside: OpenBeside) => ReadModel | Promise<ReadModel>;

const readers: Readonly<Record<ModelFileKind, Reader>> = {
  safetensors: readSafetensors,
  torch: readTorch,
  index: readShards,
  onnx: readOnnx,
  keras: readKeras,
  npz: readNpz,
  npy: (file) => readNpy(file, basename(file.path, '.npy')),
  tfjs: readTfjs,
};

/**
 * Opens a `.safetensors`, `.onnx`, `.keras`, `.h5`, `.npz` or `.npy` file, one of `torch.save`, a `model.json` or the index of a model in several files,
 * under whatever name, or the folder of a model. Only what it says of its tensors is read.
 * @param place absolute path
 * @throws UserError that names the file: missing, no file, of another format, damaged
 */
export async function openModelFile(place: string): Promise<ModelFile> {
  // What else there is in its way, opening it tells.
  const isFolder = (await stat(place).catch(() => undefined))?.isDirectory();
  const path = isFolder ? modelFolder(place).file : place;
  const opened = new Map<string, OpenedFile>();
  const open = async (other: string): Promise<OpenedFile> => {
    const known = opened.get(other);
    if (known) return known;
    if (opened.size >= MOST_FILES) throw new UserError(`${path} names more than ${MOST_FILES} files.`);
    const file = await OpenedFile.open(other);
    opened.set(other, file);
    return file;
  };
  let letGo: ReadModel['close'];
  const close = async () => {
    letGo?.();
    await Promise.all([...opened.values()].map((file) => file.close()));
  };
  try {
    const file = await open(path);
    const head = file.read(0, Math.min(file.length, MARK_BYTES));
    const explained = (error: unknown) => (error instanceof FormatError ? notUsable(path, error, head, REMEDY) : error);
    try {
      // An empty file is a valid message of ONNX.
      if (fileKindOf(head)) throw new FormatError('it holds something else');
      const kind = modelFileKind(path, head);
      if (!kind)
        throw new UserError(`${path} is no model file that can be read.`, {
          remedy: `Name a file of one of these kinds: ${Object.values(endingsOfModelFiles).flat().join(', ')} (TensorFlow.js).`,
        });
      const { close: closeReader, ...model } = await readers[kind](file, open);
      letGo = closeReader;
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
