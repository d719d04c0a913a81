/** @file What a file is that an experiment names as its model or as the weights to start from: a guess by its name. */
import { extname } from 'node:path';
import {
  hasEnding,
  kerasEndings,
  modelEndings,
  moduleEndings,
  startEndings,
  torchSaveEndings,
} from '../protocol/model/modelEndings.ts';
import type { SettingPath } from '../protocol/experiment/settingPath.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';

const ONNX = '.onnx';

const FROM_OTHERS =
  'Export it as ONNX, and name that; or write its layers as a module with createModel(), and start from its weights ("start") as ' +
  '.safetensors.';
const FROM_TORCH =
  'It holds weights only: name it as "start", and as "model" a module with the layers (createModel()), or the ONNX file that ' +
  'torch.onnx.export(model, example, "net.onnx", dynamo=False) writes.';

/** How other files become what is wanted. */
const conversions: Readonly<Record<string, string>> = {
  ...Object.fromEntries(torchSaveEndings.map((extension) => [extension, FROM_TORCH])),
  '.tflite': FROM_OTHERS,
  '.pb': FROM_OTHERS,
  '.safetensors': 'It holds weights only: name it as "start", and a module or model.json with the layers as "model".',
};

/** True for a file of Keras, by its name. */
export function isKerasFile(path: string): boolean {
  return hasEnding(path, kerasEndings);
}

/** As {@link hasEnding}: a file whose whole name is `.onnx` is no module, either. */
export function hasExtension(path: string, extension: `.${string}`): boolean {
  return hasEnding(path, [extension]);
}

/** @throws SettingError for an address of the web, and for a file that holds no model by its name */
export function checkModelReference(reference: string): void {
  checkAddress(['model'], reference);
  if (hasEnding(reference, modelEndings) || hasEnding(reference, moduleEndings)) return;
  throw new SettingError(
    ['model'],
    `${reference} is no module, no model.json of TensorFlow.js, no ONNX file and no file of Keras`,
    {
      remedy:
        conversions[extname(reference).toLowerCase()] ??
        'Name a TypeScript or JavaScript module (.ts, .js), a model.json, an .onnx, .keras or .h5 file, or a built-in model (builtin:lenet-5).',
    },
  );
}

/** @throws SettingError for an address of the web, and for a file that is no ONNX file by its name */
export function checkOnnxReference(reference: string): void {
  checkAddress(['model', 'onnx'], reference);
  if (hasExtension(reference, ONNX)) return;
  throw new SettingError(['model', 'onnx'], `${reference} is no ONNX file`, {
    remedy: 'Name an .onnx file here; other models are named by "model" itself.',
  });
}

/** @throws SettingError for an address of the web, and for a file that is no module by its name */
export function checkModuleReference(reference: string): void {
  checkAddress(['model', 'module'], reference);
  if (hasEnding(reference, moduleEndings)) return;
  throw new SettingError(['model', 'module'], `${reference} is no TypeScript or JavaScript module`, {
    remedy: 'Name a module here; other models are named by "model" itself.',
  });
}

/** True for a path that may be that of a model by its name, also of one that has to be converted first. */
export function isModelPath(path: string): boolean {
  return hasEnding(path, [...modelEndings, ...moduleEndings, ...Object.keys(conversions)]);
}

/** @throws SettingError for an address of the web, and for a file that holds no weights by its name */
export function checkStartReference(reference: string, setting: SettingPath): void {
  checkAddress(setting, reference);
  if (hasEnding(reference, startEndings)) return;
  const expected =
    'no .safetensors, no state dict of PyTorch (.pt, .pth), no model.json of TensorFlow.js, and no file of Keras (.keras, .h5) or ONNX';
  throw new SettingError(setting, `${reference} is ${expected}`, {
    remedy:
      'Write the weights as .safetensors (in Python: safetensors.torch.save_file or safetensors.numpy.save_file), under the ' +
      'names that `deeptwist describe` lists.',
  });
}

function checkAddress(setting: SettingPath, reference: string): void {
  if (!/^[a-z][a-z+.-]+:\/\//i.test(reference)) return;
  throw new SettingError(setting, `${reference} is an address, not a path`, {
    remedy: 'Download the files, and name the path of the one that was asked for.',
  });
}
