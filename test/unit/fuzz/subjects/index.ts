/** @file All readers. */
import type { Subject } from '../subject.ts';
import { arrays } from './arrays.ts';
import { experiments, settings } from './experiments.ts';
import { exports } from './exports.ts';
import { hdf5 } from './hdf5.ts';
import { idxFiles } from './idx.ts';
import { imageCaches, imageFolders } from './images.ts';
import { inspected } from './inspected.ts';
import { kerasModels, models, onnxModels } from './models.ts';
import { packed } from './packed.ts';
import { checkpoints, descriptions, events, records } from './runs.ts';
import { safetensors } from './safetensors.ts';
import { csvTables, parquetTables } from './tables.ts';
import { sweeps } from './sweeps.ts';
import { texts } from './texts.ts';

export const subjects: readonly Subject[] = [
  safetensors,
  packed,
  arrays,
  idxFiles,
  ...hdf5,
  imageFolders,
  imageCaches,
  csvTables,
  parquetTables,
  texts,
  experiments,
  settings,
  models,
  onnxModels,
  ...kerasModels,
  records,
  events,
  checkpoints,
  descriptions,
  sweeps,
  ...inspected,
  ...exports,
];
