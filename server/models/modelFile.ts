/** @file What a file is that an experiment names as its model or as the weights to start from: a guess by its name. */
import { extname } from 'node:path';
import { SettingError } from '../protocol/experiment/settingError.ts';

const MODULES = new Set(['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx']);

const ONNX = '.onnx';

const FROM_KERAS =
  'Convert it with `pip install tensorflowjs` and `tensorflowjs_converter --input_format keras --output_format ' +
  'tfjs_layers_model FILE FOLDER` (from Keras 3, save an .h5 file first), then name FOLDER/model.json.';
const FROM_OTHERS =
  'Export it as ONNX, from PyTorch with torch.onnx.export(model, example, "net.onnx", dynamo=False), and name that; or write its layers ' +
  'as a module with createModel(), and start from its weights ("start") as .safetensors.';

/** How other files become what is wanted. */
const conversions: Readonly<Record<string, string>> = {
  '.h5': FROM_KERAS,
  '.hdf5': FROM_KERAS,
  '.keras': FROM_KERAS,
  '.pt': FROM_OTHERS,
  '.pth': FROM_OTHERS,
  '.tflite': FROM_OTHERS,
  '.pb': FROM_OTHERS,
  '.safetensors': 'It holds weights only: name it as "start", and a module or model.json with the layers as "model".',
};

export function hasExtension(path: string, extension: `.${string}`): boolean {
  return extname(path).toLowerCase() === extension;
}

/** @throws SettingError for an address of the web, and for a file that holds no model by its name */
export function checkModelReference(reference: string): void {
  checkAddress('model', reference);
  const extension = extname(reference).toLowerCase();
  if (extension === '.json' || extension === ONNX || MODULES.has(extension)) return;
  throw new SettingError(['model'], `${reference} is no module, no model.json of TensorFlow.js and no ONNX file`, {
    remedy:
      conversions[extension] ??
      'Name a TypeScript or JavaScript module (.ts, .js), a model.json, an .onnx file, or a built-in model (builtin:lenet-5).',
  });
}

/** @throws SettingError for an address of the web, and for a file that is no ONNX file by its name */
export function checkOnnxReference(reference: string): void {
  checkAddress('model', reference);
  if (extname(reference).toLowerCase() === ONNX) return;
  throw new SettingError(['model', 'onnx'], `${reference} is no ONNX file`, {
    remedy: 'Name an .onnx file here; other models are named by "model" itself.',
  });
}

/** @throws SettingError for an address of the web, and for a file that holds no weights by its name */
export function checkStartReference(reference: string): void {
  checkAddress('start', reference);
  const extension = extname(reference).toLowerCase();
  if (extension === '.json' || extension === '.safetensors') return;
  throw new SettingError(['start'], `${reference} is no .safetensors and no model.json of TensorFlow.js`, {
    remedy:
      conversions[extension] === FROM_KERAS
        ? FROM_KERAS
        : 'Write the weights as .safetensors (in Python: safetensors.torch.save_file or safetensors.numpy.save_file), under the ' +
          'names that `deeptwist describe` lists.',
  });
}

function checkAddress(setting: 'model' | 'start', reference: string): void {
  if (!/^[a-z][a-z+.-]+:\/\//i.test(reference)) return;
  throw new SettingError([setting], `${reference} is an address, not a path`, {
    remedy: 'Download the files, and name the path of the one that was asked for.',
  });
}
