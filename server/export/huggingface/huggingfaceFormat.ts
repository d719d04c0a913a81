/** @file A folder as the Hugging Face Hub shows models: model card, config.json, model.safetensors, onnx/model.onnx. */
import { join } from 'node:path';
import { modelTopology } from '../../models/modelTopology.ts';
import { mainFiles, WEIGHTS_FILE } from '../../protocol/model/exportFormats.ts';
import type { ExportFormat, ExportSettings, ExportSource, WrittenModel } from '../format.ts';
import { onnx } from '../onnx/onnxFormat.ts';
import { safetensors } from '../safetensors/safetensorsFormat.ts';
import { modelCard } from './modelCard.ts';

/** Files of the folder. */
const CARD_FILE = 'README.md';
const ONNX_FILE = 'onnx/model.onnx';

export const huggingface: ExportFormat = {
  write,
  open: (path, program) => safetensors.open(join(path, WEIGHTS_FILE), program),
  alsoOpen: [(path, program) => onnx.open(join(path, ONNX_FILE), program)],
  describe: (report) => ({ name: CARD_FILE, text: modelCard(report) }),
};

async function write(source: ExportSource, settings: ExportSettings): Promise<WrittenModel> {
  const dense = await safetensors.write(source, settings);
  const small = await onnx.write(source, settings);
  const { run, experiment, step } = source.origin;
  const config = {
    model_type: 'deeptwist',
    deeptwist: { run, ...(step !== undefined && { step }), experiment: JSON.parse(experiment) as unknown },
    inputs: small.inputs,
    outputs: small.outputs,
    layers: modelTopology(source.prepared.program.model),
  };
  return {
    ...dense,
    content: new Map([
      [mainFiles.huggingface, new TextEncoder().encode(JSON.stringify(config, null, 2) + '\n')],
      [WEIGHTS_FILE, bytesOf(dense)],
      [ONNX_FILE, bytesOf(small)],
    ]),
  };
}

function bytesOf({ content }: WrittenModel): Uint8Array {
  if (content instanceof Uint8Array) return content;
  throw new TypeError('The format writes one file.');
}
