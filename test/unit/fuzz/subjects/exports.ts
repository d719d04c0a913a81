/** @file Exported files that come from anywhere: recognized, opened and run as `deeptwist evaluate FILE` does. */
import * as tf from '@tensorflow/tfjs';
import { join } from 'node:path';
import * as z from 'zod';
import { createParameters } from '../../../../server/compiler/parameters.ts';
import type { ExportSource } from '../../../../server/export/format.ts';
import { formats } from '../../../../server/export/formats.ts';
import { openExport } from '../../../../server/export/openExport.ts';
import { recognizeExport } from '../../../../server/export/recognizeExport.ts';
import { losses } from '../../../../server/models/losses.ts';
import { parseExperiment } from '../../../../server/protocol/experiment/parseExperiment.ts';
import {
  exportFormatNames,
  exportFormats,
  type ExportFormatName,
} from '../../../../server/protocol/model/exportFormats.ts';
import { modelProgram } from '../../../../server/training/modelProgram.ts';
import { experiment } from '../../training/blobs.ts';
import { bytes, json, type Mutation } from '../mutations.ts';
import type { Subject } from '../subject.ts';
import { inHeader } from './safetensors.ts';

const samples = {
  inputs: [{ shape: [4], dtype: 'float32' as const }],
  targets: [{ shape: [], dtype: 'int32' as const }],
  vocabulary: undefined,
};

/** A model with zeros, so that ONNX files have something to decode. */
function source(): ExportSource {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ name: 'a', units: 30, activation: 'relu', inputShape: [4], kernelInitializer: 'zeros' }),
      tf.layers.dense({ name: 'b', units: 3 }),
    ],
  });
  const { training } = parseExperiment(JSON.stringify(experiment), { file: 'e.deeptwist.jsonc', overrides: [] });
  const loaded = { model, loss: losses['sparse-categorical-crossentropy-from-logits'], files: [] };
  const program = modelProgram(loaded, samples, { ...training, loss: 'auto' });
  const parameters = createParameters(program, new Map(), { stateBytes: () => 0 });
  return { prepared: { program, parameters }, compressed: undefined, origin: { run: 'r', experiment: '{}' } };
}

async function filesOf(format: ExportFormatName): Promise<Record<string, Uint8Array>> {
  await tf.setBackend('cpu');
  const { content } = await formats[format].write(source(), {});
  return content instanceof Uint8Array ? { m: content } : Object.fromEntries(content);
}

async function read(path: string): Promise<void> {
  const found = await recognizeExport(path);
  const file = await openExport(found, path, {
    inputs: samples.inputs,
    inputNames: ['a_input'],
    outputNames: ['b'],
    hasNamesOfFile: false,
  });
  try {
    await file.predict(2, [new Float32Array(8)]);
  } finally {
    await file.release();
  }
}

/** Makes a mutation one of the layers, which are JSON in a text of the header. */
const inLayers = (mutation: Mutation): Mutation =>
  inHeader((content, random) => {
    const header = z.looseObject({ __metadata__: z.looseObject({ model: z.string() }) });
    const { __metadata__: metadata, ...tensors } = header.parse(JSON.parse(content.toString()));
    const changed = mutation(Buffer.from(metadata.model), random);
    const text = JSON.stringify({ __metadata__: { ...metadata, model: changed.content.toString() }, ...tensors });
    return { content: Buffer.from(text), what: `layers: ${changed.what}` };
  });

const ofFile = [...bytes, ...json.map(inHeader), ...json.map(inLayers)];

const mutations: Readonly<Record<ExportFormatName, Readonly<Record<string, readonly Mutation[]>>>> = {
  onnx: { m: bytes },
  packed: { m: ofFile },
  safetensors: { m: ofFile },
  tfjs: { 'model.json': json, 'group1-shard1of1.bin': bytes },
  huggingface: { 'config.json': json, 'model.safetensors': ofFile },
};

export const exports: readonly Subject[] = exportFormatNames.map((format) => ({
  name: `exported ${exportFormats[format].label}`,
  cases: 100,
  files: () => filesOf(format),
  mutations: mutations[format],
  read: (folder) => read(exportFormats[format].isFolder ? folder : join(folder, 'm')),
}));
