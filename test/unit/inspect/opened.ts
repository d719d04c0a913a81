/** @file Opening files in tests: closed after each. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { openModelFile } from '../../../server/inspect/modelFile.ts';
import type { ModelFile, StoredTensor } from '../../../server/inspect/tensor.ts';

/** To be called once in a file, outside of its tests. */
export function openedFiles() {
  let folder = '';
  const opened: ModelFile[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'deeptwist-inspect-'));
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((file) => file.close()));
    rmSync(folder, { recursive: true });
  });
  const open = async (path: string): Promise<ModelFile> => {
    const file = await openModelFile(path);
    opened.push(file);
    return file;
  };
  return {
    open,
    /** The path of a file in the test's folder. */
    path: (name: string) => join(folder, name),
    write(name: string, content: Uint8Array | string): string {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    },
  };
}

/** The tensor of a name. */
export function tensorOf({ tensors }: ModelFile, name: string): StoredTensor {
  const found = tensors.find((tensor) => tensor.name === name);
  if (!found) throw new Error(`There is no ${name}, but ${tensors.map((tensor) => tensor.name).join(', ')}.`);
  return found;
}

/** All numbers of a tensor. */
export async function numbersOf(tensor: StoredTensor): Promise<number[]> {
  const numbers: number[] = [];
  for await (const part of tensor.numbers()) numbers.push(...part);
  return numbers;
}
