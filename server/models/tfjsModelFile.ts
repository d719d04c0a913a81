/** @file Models saved by TensorFlow.js or its converter. */
import * as tf from '@tensorflow/tfjs';
import { isGraphModel, readModelArtifacts } from '../modules/modelArtifacts.ts';
import { messageOf } from '../protocol/thrown.ts';
import { UserError } from '../protocol/userError.ts';
// TensorFlow.js makes these layers, too, of what a file says.
import './keras/layers/arithmetic.ts';
import './keras/layers/resetAfterGru.ts';

/**
 * @param path absolute path of `model.json`
 * @returns the model with its weights, and all its files; weights that the file leaves out are initialized
 * @throws UserError when the file or a shard is missing or damaged, or holds a graph model
 */
export async function loadTfjsModel(path: string): Promise<{ model: tf.LayersModel; files: string[] }> {
  const { artifacts, files } = await readModelArtifacts(path);
  if (isGraphModel(artifacts))
    throw new UserError(`${path} is a graph model: it is for inference and cannot be trained.`, {
      remedy: 'Convert or save it as a layers model (tensorflowjs_converter --output_format tfjs_layers_model).',
    });
  const { modelTopology, weightSpecs, weightData } = artifacts;
  return { model: await modelOf({ modelTopology, ...(weightSpecs && { weightSpecs, weightData }) }, path), files };
}

/**
 * The model that a file describes.
 * @param path of the file, for messages
 * @param remedy what to do where TensorFlow.js cannot make it; default: what helps where its converter or it itself wrote the file
 * @throws UserError where TensorFlow.js cannot make it
 */
export async function modelOf(artifacts: tf.io.ModelArtifacts, path: string, remedy?: string): Promise<tf.LayersModel> {
  try {
    return await tf.loadLayersModel({ load: () => Promise.resolve(artifacts) });
  } catch (error) {
    const [message] = messageOf(error).split(/\n| This may be due to/);
    throw new UserError(`${path} could not be made into a model: ${message.replace(/\.$/, '')}.`, {
      remedy: remedy ?? remedyFor(message),
      cause: error,
    });
  }
}

function remedyFor(message: string): string {
  const unknown = /Unknown (\w+): (\w+)/.exec(message);
  if (unknown)
    return (
      `If ${unknown[2]} is a class of your own, register it in a module (tf.serialization.registerClass) whose createModel() ` +
      'loads this file. TensorFlow.js does not have every class of Keras: replace one that it lacks before you convert the model.'
    );
  return (
    'If the model is of Keras 3, save it with tf_keras (TF_USE_LEGACY_KERAS=1) before you convert it. Otherwise, save it again ' +
    'with model.save(…).'
  );
}
