/** @file The models and data sets that a workspace has for a new experiment. Files are looked at, nothing is executed. */
import { basename, dirname, join } from 'node:path';
import { workspace } from 'vscode';
import type { CancellationToken } from 'vscode';
import { readRegularFile } from '../../server/runs/workspaceFile.ts';
import type { FirstLayer } from '../../server/protocol/experiment/firstExperiment.ts';
import type { RunStore } from '../runs/runStore.ts';
import { beginningOf } from './beginningOf.ts';
import { findTeachingRuns, teachingFiles, type FoundTeacher } from './findTeachers.ts';
import { isDataModule, readModelJson, readModelSource } from './modelSource.ts';
import { lastColumn } from './tableSource.ts';

export interface FoundModel {
  /** Absolute path, or `builtin:NAME`. */
  readonly reference: string;
  readonly layers?: readonly FirstLayer[];
  /** Used if neither the model's module nor a built-in model brings one. */
  readonly loss?: string;
  /** The input that the model is made for; undefined where only its author knows. */
  readonly input?: 'digits' | 'words';
}

export type FoundData =
  | { readonly type: 'mnist' | 'images' | 'module' | 'text'; /** Absolute. */ readonly path: string }
  | {
      readonly type: 'table';
      /** Absolute. */ readonly path: string;
      /** The last column, as in most tables. */ readonly target: string;
    }
  | {
      readonly type: 'arrays';
      /** Absolute: has x_train.npy, y_train.npy, x_test.npy and y_test.npy. */ readonly path: string;
    };

export interface Choices {
  readonly models: readonly FoundModel[];
  readonly data: readonly FoundData[];
  readonly teachers: readonly FoundTeacher[];
}

export const builtinModels: readonly FoundModel[] = [
  builtin('lenet-300-100', 'digits', { fc1: 300, fc2: 100, fc3: 10 }),
  builtin('lenet-5', 'digits', { conv1: 20, conv2: 50, fc1: 500, fc2: 10 }),
  builtin('lstm-lm-small', 'words', { embedding: 200, lstm1: 200, lstm2: 200, softmax: 200 }),
  builtin('lstm-lm-medium', 'words', { embedding: 650, lstm1: 650, lstm2: 650, softmax: 650 }),
];

function builtin(name: string, input: FoundModel['input'], ranks: Record<string, number>): FoundModel {
  const layers = Object.entries(ranks).map(([layer, shortestSide]) => ({ name: layer, shortestSide }));
  return { reference: `builtin:${name}`, layers, input };
}

/** Files in which a model or a data set is looked for; larger ones are bundles and data. */
const FILES = 3000;
const SOURCE_BYTES = 256 * 1024;
const MODEL_JSON_BYTES = 16 * 1024 * 1024;
const EXCLUDED = '**/{node_modules,.deeptwist,.git,dist,out,build,coverage}/**';
/** Images of data sets: a single one may have as many as the first thousands. */
const IMAGES = 2000;
/** Data sets come as packages, too. */
const EXCLUDED_DATA = '**/{.deeptwist,.git}/**';
const AT_ONCE = 16;
/** Bytes of a table's first line that are read. */
const LINE_BYTES = 64 * 1024;

export async function findChoices(store: RunStore, token: CancellationToken): Promise<Choices> {
  const find = async (glob: string, excluded: string, limit: number) =>
    (await workspace.findFiles(glob, excluded, limit, token)).map(({ fsPath }) => fsPath).sort();
  const [sources, json, onnx, digits, images, texts, arrays, csv, tensors] = await Promise.all([
    find('**/*.{ts,js,mts,mjs,cts,cjs}', EXCLUDED, FILES),
    find('**/model.json', EXCLUDED, 50),
    find('**/*.onnx', EXCLUDED, 50),
    // Raw or gzip: an empty alternative in braces matches nothing.
    find('**/train-images?idx3-ubyte*', EXCLUDED_DATA, 50),
    find('**/train/*/*.{jpg,jpeg,png,JPG,JPEG,PNG}', EXCLUDED_DATA, IMAGES),
    find('**/*.train.txt', EXCLUDED, 50),
    find('**/x_train.npy', EXCLUDED, 50),
    find('**/*.csv', EXCLUDED, 50),
    find('**/*.safetensors', EXCLUDED, 50),
  ]);
  const found = (await inTurns(sources, readSource, token)).flat();
  const models = [
    ...(await inTurns(json, readJson, token)).flat(),
    // Exporters leave the softmax to the loss.
    ...onnx.map((reference): FoundModel => ({ reference, loss: 'sparse-categorical-crossentropy-from-logits' })),
  ];
  const folders = (files: readonly string[]) => [...new Set(files.map((file) => dirname(file)))];
  return {
    models: [...found.flatMap((file) => ('model' in file ? [file.model] : [])), ...models, ...builtinModels],
    data: [
      ...found.flatMap((file) => ('data' in file ? [file.data] : [])),
      ...folders(digits).map((path): FoundData => ({ type: 'mnist', path })),
      ...folders(folders(folders(images))).map((path): FoundData => ({ type: 'images', path })),
      ...folders(texts).map((path): FoundData => ({ type: 'text', path })),
      ...folders(arrays).map((path): FoundData => ({ type: 'arrays', path })),
      ...csv.flatMap(tablesIn),
    ],
    teachers: [
      ...(await findTeachingRuns(store, token)),
      ...models.map(({ reference }) => ({ file: reference })),
      ...teachingFiles(tensors),
    ],
  };
}

async function readSource(file: string): Promise<({ model: FoundModel } | { data: FoundData })[]> {
  if (file.endsWith('.d.ts')) return [];
  const text = await readSmall(file, SOURCE_BYTES);
  const model = readModelSource(text);
  if (model) {
    const { exportsLoss, softmax, layers } = model;
    const loss = exportsLoss ? undefined : `sparse-categorical-crossentropy${softmax ? '' : '-from-logits'}`;
    return [{ model: { reference: file, ...(layers && { layers }), ...(loss !== undefined && { loss }) } }];
  }
  return isDataModule(text) ? [{ data: { type: 'module', path: file } }] : [];
}

async function readJson(file: string): Promise<FoundModel[]> {
  const text = await readSmall(file, MODEL_JSON_BYTES);
  const layers = readModelJson(text);
  if (!layers) return [];
  const softmax = /"activation":\s*"softmax"/.test(text);
  return [{ reference: file, layers, loss: `sparse-categorical-crossentropy${softmax ? '' : '-from-logits'}` }];
}

/** None where the first line names no two columns, or cannot be read. */
function tablesIn(path: string): FoundData[] {
  const target = lastColumn(beginningOf(path, LINE_BYTES));
  return target === undefined ? [] : [{ type: 'table', path, target }];
}

/** Empty for a file that is larger, or cannot be read. */
function readSmall(file: string, bytes: number): Promise<string> {
  return readRegularFile(file, bytes).catch(() => '');
}

async function inTurns<T>(
  files: readonly string[],
  read: (file: string) => Promise<T>,
  token: CancellationToken,
): Promise<T[]> {
  const results: T[] = [];
  for (let start = 0; start < files.length && !token.isCancellationRequested; start += AT_ONCE)
    results.push(...(await Promise.all(files.slice(start, start + AT_ONCE).map(read))));
  return results;
}

/** A name for an experiment with the model: `lenet` for `…/lenet.ts`, `mobilenet` for `…/mobilenet/model.json`. */
export function modelName({ reference }: FoundModel): string {
  if (reference.startsWith('builtin:')) return reference.slice('builtin:'.length);
  const file = basename(reference).replace(/\.[^.]+$/, '');
  return file === 'model' || file === 'index' ? basename(dirname(reference)) : file;
}

/** `"data"` of an experiment file; paths as `relativePath` makes them of absolute ones. */
export function dataSetting(
  data: FoundData,
  relativePath: (path: string) => string,
): { type: string; [key: string]: unknown } {
  if (data.type === 'text') return { type: 'text', path: relativePath(data.path), timeSteps: 20 };
  if (data.type === 'table') return { type: 'table', path: relativePath(data.path), target: data.target };
  if (data.type === 'images') return { type: 'images', path: relativePath(data.path), standardize: 'training' };
  if (data.type !== 'arrays') return { type: data.type, path: relativePath(data.path) };
  const split = (name: string) => ({
    inputs: relativePath(join(data.path, `x_${name}.npy`)),
    targets: relativePath(join(data.path, `y_${name}.npy`)),
  });
  return { type: 'arrays', train: split('train'), test: split('test') };
}
