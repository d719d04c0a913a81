/** @file Endings of the files that an experiment can name as its model, or as the weights to start from. */

/** Endings of the modules that a model's layers, a data set or a method can be written in. */
export const moduleEndings = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx'] as const;

/** Endings of files that Keras saves a model as. */
export const kerasEndings = ['.keras', '.h5', '.hdf5'] as const;

/** Files that are a model with its weights; a `.json` is a `model.json` of TensorFlow.js. */
export const modelEndings = ['.json', '.onnx', ...kerasEndings] as const;

/** Endings of files that PyTorch alone writes a state dict as: what ends in `.bin` may be anything. */
const torchEndings = ['.pt', '.pth', '.ckpt'] as const;

/** Endings that people give to what `torch.save` writes. */
export const torchSaveEndings = [...torchEndings, '.bin'] as const;

/** Endings of files that hold weights without the layers. */
export const weightEndings = [...torchEndings, '.safetensors'] as const;

/** Endings of files that an experiment can start from: those of models have weights, too. */
export const startEndings = [...modelEndings, '.safetensors', ...torchSaveEndings] as const;

/** Endings of files that are a teacher by themselves: `deeptwist export` writes a .safetensors file with the layers. */
export const teacherEndings = [...modelEndings, '.safetensors'] as const;

/** True for a path with one of the endings, in letters of either case. */
export function hasEnding(path: string, endings: readonly string[]): boolean {
  const name = path.toLowerCase();
  return endings.some((ending) => name.endsWith(ending));
}

/** True for a file of declarations, which no model is written in. */
export function isDeclaration(path: string): boolean {
  return /\.d\.[cm]?ts$/.test(path);
}

/** The line of Python with which Keras writes a model. */
export const KERAS_EXPORT = 'model.save("net.keras")';
