/** @file The models, data sets and teachers among the files of a workspace. Files are looked at, nothing is executed. */
import { openModelFile } from '../inspect/modelFile.ts';
import type { FoundFiles, Proposals } from '../protocol/wire/proposals.ts';
import { beginningOf } from './beginningOf.ts';
import { findData } from './findData.ts';
import { findModels } from './findModels.ts';
import { hasModelLayers } from './modelSource.ts';

/** Bytes in which a safetensors file tells that it has the layers of its model. */
const HEAD_BYTES = 256 * 1024;

export async function findProposals(files: FoundFiles): Promise<Proposals> {
  const { models, data } = await findModels(files);
  const tensors = files.arrays.filter((path) => path.endsWith('.safetensors'));
  return {
    models,
    data: [...(await findData(files, tensorsOf)), ...data],
    teachers: [...files.models, ...tensors.filter((path) => hasModelLayers(beginningOf(path, HEAD_BYTES)))],
  };
}

async function tensorsOf(path: string) {
  const file = await openModelFile(path).catch(() => undefined); // It is damaged, or gone.
  if (!file) return [];
  const seen = file.tensors.map(({ name, shape, dtype }) => ({ name, shape, dtype }));
  await file.close();
  return seen;
}
