/** @file The formats that a model is exported in: what the editor and the command line know of each without loading what writes it. */

/** What a format of exported models is. */
export interface ExportFormatFacts {
  /** Its name in a menu. */
  readonly label: string;
  /** What is written, and what opens it: a sentence. */
  readonly description: string;
  /** End of the default name of the file or folder, which begins with the id of the run. */
  readonly ending: string;
  /** True where several files are written, in a folder of their own. */
  readonly isFolder: boolean;
  /** The file of the folder that tells the format. */
  readonly mainFile?: string;
  /** The options of {@link exportOptions} that it takes. */
  readonly options: readonly ExportOption[];
}

/** What an option of an export is. */
export interface ExportOptionFacts {
  /** A sentence. */
  readonly description: string;
  /** What can be chosen, the default first; absent for an option that is on or off. */
  readonly values?: readonly string[];
}

export type ExportOption = keyof typeof exportOptions;
export type ExportFormatName = keyof typeof formats;

/** All options that a format may take, by name: the command line puts `--` in front. */
export const exportOptions = {
  dense: { description: 'Write every weight as floats, for programs that do not compute constants.' },
  dtype: {
    description: 'Type of the numbers in the file, for weights that have exactly such numbers; others stay float32.',
    values: ['float32', 'float16', 'uint8', 'uint16'],
  },
  round: { description: 'With --dtype: also for weights that it rounds; allow the difference with --tolerance.' },
  'sparse-initializers': {
    description:
      'Write pruned weights as sparse initializers, for programs that know them; larger than what decodes itself.',
  },
  names: {
    description: 'Names and axes of the weights: those of the model, or those that modules of PyTorch have.',
    values: ['model', 'pytorch'],
  },
} as const satisfies Record<string, ExportOptionFacts>;

/** The file of a folder that tells its format. */
export const mainFiles = { tfjs: 'model.json', huggingface: 'config.json' } as const;

/** The file with the weights in a folder as on the Hugging Face Hub. */
export const WEIGHTS_FILE = 'model.safetensors';

const formats = {
  onnx: {
    label: 'ONNX',
    description: 'One small file of standard operators that decode the weights, for ONNX Runtime and other programs.',
    ending: '.onnx',
    isFolder: false,
    options: ['dense', 'sparse-initializers'],
  },
  tfjs: {
    label: 'TensorFlow.js',
    description: 'A folder with model.json and weights, for TensorFlow.js; matrices of low rank are two layers.',
    ending: '-tfjs',
    isFolder: true,
    mainFile: mainFiles.tfjs,
    options: ['dtype', 'round'],
  },
  packed: {
    label: 'Packed Safetensors',
    description:
      'One file of the compressed weights and the layers, as small as the compression made it, for DeepTwist.',
    ending: '.safetensors',
    isFolder: false,
    options: [],
  },
  safetensors: {
    label: 'Safetensors',
    description: 'One file of every weight as floats, for PyTorch, JAX and other programs.',
    ending: '-dense.safetensors',
    isFolder: false,
    options: ['names'],
  },
  huggingface: {
    label: 'Hugging Face Folder',
    description: 'A folder for the Hugging Face Hub: model card, config.json, model.safetensors and onnx/model.onnx.',
    ending: '-huggingface',
    isFolder: true,
    mainFile: mainFiles.huggingface,
    options: ['names', 'dense'],
  },
} as const satisfies Record<string, ExportFormatFacts>;

/** The formats by name; the default comes first. */
export const exportFormats: Readonly<Record<ExportFormatName, ExportFormatFacts>> = formats;

export function isExportFormat(name: string): name is ExportFormatName {
  return Object.hasOwn(exportFormats, name);
}

/** The names of the formats, in the order in which they are proposed. */
export const exportFormatNames: readonly ExportFormatName[] = Object.keys(exportFormats).filter(isExportFormat);
