/** @file Models in several files, `model.safetensors.index.json`, as Hugging Face writes them: the index says which file has which tensor. */
import { FormatError } from '../../formats/formatError.ts';
import { hasEnding, torchSaveEndings } from '../../protocol/model/modelEndings.ts';
import { fileBeside } from '../../modules/fileBeside.ts';
import { isRecord } from '../../protocol/record.ts';
import type { OpenedFile } from '../openedFile.ts';
import type { StoredTensor } from '../tensor.ts';
import type { ReadModel } from './readModel.ts';
import { readSafetensors } from './safetensors.ts';
import { readTorch } from './torch.ts';

/** An index of a hundred thousand tensors has 10 MB. */
const MOST_INDEX_BYTES = 100_000_000;
const REMEDY = 'Put all files of the model into one folder.';

/** @param openBeside opens a shard, each once */
export async function readShards(
  file: OpenedFile,
  openBeside: (path: string) => Promise<OpenedFile>,
): Promise<ReadModel> {
  if (file.length > MOST_INDEX_BYTES)
    throw new FormatError(`it has ${file.length} bytes; an index has at most ${MOST_INDEX_BYTES}`);
  const { shards, metadata } = parseIndex(file.read(0, file.length));
  const tensors: StoredTensor[] = [];
  for (const [name, wanted] of shards) {
    const shard = await openBeside((await fileBeside(file.path, name, REMEDY)).file);
    const found = new Map(readShard(shard, name).map((tensor) => [tensor.name, tensor]));
    for (const tensor of wanted) {
      const stored = found.get(tensor);
      if (!stored) throw new FormatError(`its file ${name} has no tensor '${tensor}'`, { remedy: REMEDY });
      tensors.push(stored);
    }
  }
  return { format: `model in ${shards.size} files`, tensors, metadata };
}

function readShard(shard: OpenedFile, name: string): readonly StoredTensor[] {
  const read = readerOf(name);
  try {
    return read(shard).tensors;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`its file ${name} is not usable: ${error.message}`, {
      remedy: error.remedy ?? 'Download that file again.',
    });
  }
}

function readerOf(name: string): (file: OpenedFile) => ReadModel {
  if (hasEnding(name, ['.safetensors'])) return readSafetensors;
  if (hasEnding(name, torchSaveEndings)) return readTorch;
  throw new FormatError(`it names ${name.slice(0, 200)}, which is neither a safetensors file nor one of torch.save`);
}

/** The tensors of each file, in the order of the index. */
function parseIndex(bytes: Uint8Array): { shards: Map<string, string[]>; metadata: ReadModel['metadata'] } {
  let index: unknown;
  try {
    index = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new FormatError('it is not valid JSON');
  }
  const map = isRecord(index) ? index.weight_map : undefined;
  if (!isRecord(map)) throw new FormatError('it has no weight_map, which says which file has which tensor');
  const shards = new Map<string, string[]>();
  for (const [tensor, name] of Object.entries(map)) {
    if (typeof name !== 'string') throw new FormatError(`its weight_map names no file for '${tensor.slice(0, 200)}'`);
    const ofFile = shards.get(name);
    if (ofFile) ofFile.push(tensor);
    else shards.set(name, [tensor]);
  }
  const facts = isRecord(index) && isRecord(index.metadata) ? Object.entries(index.metadata) : [];
  return { shards, metadata: facts.map(([key, value]) => [key, String(value)] as const) };
}
