/**
 * @file Files for a user's module that loads or saves a model: `file://` addresses and `tf.io.fileSystem`, which TensorFlow.js
 * has in tfjs-node alone (tfjs-node/src/io/file_system.ts).
 */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as tensorflow from '@tensorflow/tfjs';
import { UserError } from '../protocol/userError.ts';
import { readModelArtifacts } from './modelArtifacts.ts';

/** Set by {@link tfjsForModules}. */
let tf: typeof tensorflow;

/** Files of models that were loaded since `takeLoadedFiles` was called last. */
const loaded = new Set<string>();

/** The files of the models that modules have loaded since the last call, absolute. */
export function takeLoadedFiles(): string[] {
  const files = [...loaded];
  loaded.clear();
  return files;
}

/** @param path of `model.json` to load; of a folder to save to */
function fileSystem(path: string | string[]): tensorflow.io.IOHandler {
  const [first] = [path].flat();
  return {
    async load() {
      const file = resolve(first);
      const isFolder = await stat(file).then(
        (found) => found.isDirectory(),
        () => false,
      );
      const { artifacts, files } = await readModelArtifacts(isFolder ? join(file, 'model.json') : file);
      for (const name of files) loaded.add(name);
      return artifacts;
    },
    async save(artifacts) {
      const folder = resolve(first);
      const { weightData, weightSpecs = [] } = artifacts;
      const paths = ['weights.bin'];
      const json: tensorflow.io.ModelJSON = {
        format: artifacts.format,
        generatedBy: artifacts.generatedBy,
        modelTopology: artifacts.modelTopology as object,
        weightsManifest: [{ paths, weights: weightSpecs }],
      };
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'model.json'), JSON.stringify(json));
      if (weightData !== undefined)
        await writeFile(join(folder, paths[0]), new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)));
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
    },
  };
}

const fromAddress: Parameters<typeof tensorflow.io.registerLoadRouter>[0] = (url) => {
  const [first] = [url].flat();
  // TensorFlow.js takes `file://./model.json`, too, which is no address.
  if (!first.startsWith('file://')) return null as unknown as tensorflow.io.IOHandler; // So that another router is asked.
  return fileSystem(first.startsWith('file:///') ? fileURLToPath(first) : first.slice('file://'.length));
};

/** What tfjs-node has beside, and a model needs not: images, TensorBoard, SavedModels. */
const node = new Proxy(
  {},
  {
    get(_, name) {
      if (typeof name === 'symbol' || name === '__esModule' || name === 'default' || name === 'then') return undefined;
      throw new UserError(`tf.node.${name} is not there: @tensorflow/tfjs-node is @tensorflow/tfjs in DeepTwist.`, {
        remedy: 'Do without it in the module; read files by node:fs.',
      });
    },
  },
);

let seen: { tfjs: object; tfjsNode: object } | undefined;

/**
 * TensorFlow.js as a user's module sees it. It is loaded when the first module asks for it: most data sets do without, and
 * their thread starts the sooner.
 */
export function tfjsForModules(): { tfjs: object; tfjsNode: object } {
  if (seen === undefined) {
    tf = createRequire(import.meta.url)('@tensorflow/tfjs');
    tf.io.registerLoadRouter(fromAddress);
    tf.io.registerSaveRouter(fromAddress);
    const tfjs = { ...tf, default: tf, io: { ...tf.io, fileSystem } };
    seen = { tfjs, tfjsNode: { ...tfjs, node } };
  }
  return seen;
}
