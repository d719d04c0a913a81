/** @file Endings of the files that an experiment can name as its model. */

/** Endings of files that Keras saves a model as. */
export const kerasEndings = ['.keras', '.h5', '.hdf5'] as const;

/** Files that are a model with its weights; a `.json` is a `model.json` of TensorFlow.js. */
export const modelEndings = ['.json', '.onnx', ...kerasEndings] as const;

/** Endings of files that PyTorch alone writes a state dict as: what ends in `.bin` may be anything. */
export const torchEndings = ['.pt', '.pth', '.ckpt'] as const;

/** Endings of files that hold weights without the layers: what an experiment can name as `start`. */
export const weightEndings = [...torchEndings, '.safetensors'] as const;

/** The line of Python with which Keras writes a model. */
export const KERAS_EXPORT = 'model.save("net.keras")';
