/** @file The models among the files of a workspace, and the built-in ones. Files are looked at, nothing is executed. */
import { basename } from 'node:path';
import { firstLoss } from '../protocol/experiment/firstLoss.ts';
import type { LossId } from '../protocol/experiment/lossFacts.ts';
import { readRegularFile } from '../runs/workspaceFile.ts';
import type { FoundData, FoundFiles, FoundModel } from '../protocol/wire/proposals.ts';
import { isDataModule, readModelJson, readModelSource } from './modelSource.ts';

const builtinModels: readonly FoundModel[] = [
  builtin('lenet-300-100', 'digits', { fc1: 300, fc2: 100, fc3: 10 }),
  builtin('lenet-5', 'digits', { conv1: 20, conv2: 50, fc1: 500, fc2: 10 }),
  builtin('lstm-lm-small', 'words', { embedding: 200, lstm1: 200, lstm2: 200, softmax: 200 }),
  builtin('lstm-lm-medium', 'words', { embedding: 650, lstm1: 650, lstm2: 650, softmax: 650 }),
];

/** The model of the sample experiment. */
export const [sampleModel] = builtinModels;

function builtin(name: string, input: FoundModel['input'], ranks: Record<string, number>): FoundModel {
  const layers = Object.entries(ranks).map(([layer, shortestSide]) => ({ name: layer, shortestSide }));
  return { reference: `builtin:${name}`, layers, ...(input && { input }) };
}

/** Larger files are bundles and data. */
const SOURCE_BYTES = 256 * 1024;
const MODEL_JSON_BYTES = 16 * 1024 * 1024;
const AT_ONCE = 16;

/** The models, that which the user looks at first, and the modules of data. */
export async function findModels({
  sources,
  models,
  shown,
}: Pick<FoundFiles, 'sources' | 'models' | 'shown'>): Promise<{ models: FoundModel[]; data: FoundData[] }> {
  const found = await inTurns(sources, readSource);
  const files = await inTurns(models, readModelFile);
  const own = [...found.flatMap((file) => ('model' in file ? [file.model] : [])), ...files];
  return {
    models: [
      ...own.toSorted((a, b) => Number(b.reference === shown) - Number(a.reference === shown)),
      ...builtinModels,
    ],
    data: found.flatMap((file) => ('data' in file ? [file.data] : [])),
  };
}

async function readSource(file: string): Promise<({ model: FoundModel } | { data: FoundData })[]> {
  if (/\.(d|test|spec|config)\.\w+$/.test(file)) return [];
  const text = await readSmall(file, SOURCE_BYTES);
  if (isDataModule(text)) return [{ data: { type: 'module', path: file } }];
  const model = readModelSource(text);
  if (!model) return [];
  const { exportsLoss, softmax, layers, exportName } = model;
  return [
    {
      model: {
        reference: file,
        ...(exportName !== undefined && { exportName }),
        ...(layers && { layers }),
        ...(!exportsLoss && { loss: lossOf(softmax) }),
      },
    },
  ];
}

async function readModelFile(file: string): Promise<FoundModel[]> {
  // What other programs write leaves the softmax to the loss.
  if (basename(file) !== 'model.json') return [{ reference: file, loss: lossOf(false) }];
  const text = await readSmall(file, MODEL_JSON_BYTES);
  const layers = readModelJson(text);
  return layers ? [{ reference: file, layers, loss: lossOf(/"activation":\s*"softmax"/.test(text)) }] : [];
}

function lossOf(isSoftmax: boolean): LossId {
  return firstLoss({ shape: [], activation: isSoftmax ? 'softmax' : 'other' });
}

/** Empty for a file that is larger, or cannot be read. */
function readSmall(file: string, bytes: number): Promise<string> {
  return readRegularFile(file, bytes).catch(() => '');
}

async function inTurns<T>(files: readonly string[], read: (file: string) => Promise<readonly T[]>): Promise<T[]> {
  const results: T[] = [];
  for (let start = 0; start < files.length; start += AT_ONCE)
    results.push(...(await Promise.all(files.slice(start, start + AT_ONCE).map(read))).flat());
  return results;
}
