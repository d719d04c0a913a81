/** @file A model that another program exported as ONNX, as a model of layers with one layer, which can be trained. */
import * as tf from '@tensorflow/tfjs';
import { allInitializers, readOnnxModel, type ReadOnnxModel } from '../../formats/onnxReader.ts';
import { FormatError } from '../../formats/formatError.ts';
import { fileBeside } from '../../modules/fileBeside.ts';
import { notUsable, readUserFile } from '../../modules/readUserFile.ts';
import { didYouMean } from '../../protocol/experiment/didYouMean.ts';
import { LayerPattern } from '../../protocol/experiment/layerPattern.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { UserError } from '../../protocol/userError.ts';
import { takeBranches } from './branches.ts';
import { OnnxGraphLayer, type OpenShape } from './graphLayer.ts';
import { withSizes, type InputSizes } from './inputSizes.ts';
import { modelGraphOf, type ModelGraph } from './modelGraph.ts';
import { dtypeOf, shapesOf } from './graphShapes.ts';

/** What an experiment says of the model of a file. */
export interface OnnxOptions extends InputSizes {
  /** True where batch normalization takes its running statistics in training, too. */
  readonly frozenStatistics?: boolean | undefined;
  /** Names of stored tensors, or patterns of names, that are no parameters, besides those of which the file says so. */
  readonly buffers?: readonly string[] | undefined;
  /** Size of each dimension that has a name and is not that of the batch, by the rank of its input: in the place of `dimensions`. */
  readonly assume?: ((rank: number) => number) | undefined;
}

export interface LoadedOnnxModel {
  readonly model: tf.LayersModel;
  readonly files: string[];
  readonly warnings: string[];
  /** Sizes that {@link OnnxOptions.assume} gave to dimensions, by their names; undefined where there was none to assume. */
  readonly assumedSizes?: Readonly<Record<string, number>>;
}

const REMEDY = 'Export the model again, or copy the file again.';

/**
 * @param path absolute path of the file
 * @throws UserError for a file that is damaged or has operators that are not known, SettingError for dimensions that are not given
 */
export async function loadOnnxModel(path: string, options: OnnxOptions = {}): Promise<LoadedOnnxModel> {
  const file = withBuffers(await readUserFile(path, readOnnxModel, REMEDY), options.buffers ?? []);
  const assumedSizes = options.assume && sizesOfNames(file, options.assume);
  const sizes: InputSizes = assumedSizes ? { dimensions: assumedSizes } : options;
  const external = await externalFiles(path, file);
  const bytesOf = (location: string) => external.get(location)?.bytes ?? new Uint8Array(0);
  // Recording leaves the backend that was there, and there is none before the first tensor.
  if (!(tf.getBackend() as string | undefined)) await tf.setBackend('cpu');
  const { graph, values, shapes } = await ofFile(path, async () => {
    const branchless = await takeBranches(file, bytesOf, sizes);
    const { graph, values } = modelGraphOf(branchless, bytesOf);
    const sized = withSizes(graph, sizes);
    // A branch may be taken for these sizes alone.
    return { graph: branchless === file ? graph : sized, values, shapes: await shapesOf(sized, path) };
  });
  const { inputs, outputs, warning } = shapes;
  const layer = new OnnxGraphLayer({
    name: 'graph',
    graph,
    outputShapes: outputs,
    frozenStatistics: options.frozenStatistics ?? false,
  });
  const model = modelOfLayer(layer, inputs);
  tf.tidy(() => {
    for (const { name, shape, variable } of layer.namedWeights)
      variable.write(tf.tensor(values.get(name) ?? new Float32Array(0), [...shape]));
  });
  return {
    model,
    files: [path, ...Array.from(external.values(), ({ path: found }) => found)],
    warnings: [...(warning === undefined ? [] : [warning]), ...warningsOf(graph)],
    ...(assumedSizes && Object.keys(assumedSizes).length > 0 && { assumedSizes }),
  };
}

/**
 * The file with these tensors as buffers, too.
 * @param names or patterns of names
 * @throws SettingError for one that names no tensor
 */
function withBuffers(file: ReadOnnxModel, names: readonly string[]): ReadOnnxModel {
  const patterns = names.map((name) => new LayerPattern(name));
  const isNamed = patterns.map((pattern) => file.initializers.map(({ name }) => pattern.matches(name)));
  const unknown = isNamed.findIndex((matches) => !matches.includes(true));
  if (unknown >= 0) {
    const stored = file.initializers.map(({ name }) => name);
    const meant = didYouMean(names[unknown], stored);
    throw new SettingError(['model', 'buffers', unknown], 'the file has no tensor of this name', {
      remedy: meant ? `Did you mean ${meant}?` : `Its tensors are ${stored.join(', ')}.`,
    });
  }
  const initializers = file.initializers.map((tensor, i) =>
    isNamed.some((matches) => matches[i]) ? { ...tensor, isBuffer: true } : tensor,
  );
  return { ...file, initializers };
}

/** A size for each dimension with a name, but for that of the batch. */
function sizesOfNames({ inputs }: ReadOnnxModel, sizeOf: (rank: number) => number): Record<string, number> {
  const open = inputs.flatMap(({ shape = [] }) =>
    shape.slice(1).flatMap((size) => (typeof size === 'string' && size !== '' ? [[size, sizeOf(shape.length)]] : [])),
  );
  return Object.fromEntries(open) as Record<string, number>;
}

/** @param shapes of the inputs */
function modelOfLayer(layer: OnnxGraphLayer, shapes: readonly OpenShape[]): tf.LayersModel {
  const inputs = layer.settings.graph.inputs.map(({ name, type }, i) =>
    tf.input({ name: layerName(name), batchShape: [...shapes[i]], dtype: dtypeOf(type) }),
  );
  const outputs = layer.apply(inputs.length === 1 ? inputs[0] : inputs) as tf.SymbolicTensor | tf.SymbolicTensor[];
  return tf.model({ inputs, outputs });
}

/** A name without the characters that TensorFlow.js refuses, as in TensorFlow's `serving_default_input:0`. */
function layerName(name: string): string {
  return name.replace(/^[^A-Za-z0-9]+/, '').replaceAll(/[^\w./-]/g, '_') || 'input';
}

/** Files with external data, by what the model calls them. */
type ExternalFiles = ReadonlyMap<string, { readonly path: string; readonly bytes: Uint8Array }>;

async function externalFiles(path: string, file: ReadOnnxModel): Promise<ExternalFiles> {
  const found = new Map<string, { path: string; bytes: Uint8Array }>();
  for (const { data } of allInitializers(file)) {
    if (data instanceof Uint8Array || found.has(data.location)) continue;
    const { file: beside } = await fileBeside(
      path,
      data.location,
      'Keep the file of external data beside the model, or export it again.',
    );
    found.set(data.location, { path: beside, bytes: await readUserFile(beside, (bytes) => bytes, REMEDY) });
  }
  return found;
}

/** Names the file in what is thrown. */
async function ofFile<R>(path: string, body: () => Promise<R>): Promise<R> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof FormatError) throw notUsable(path, error, undefined, REMEDY);
    if (!(error instanceof UserError) || error instanceof SettingError) throw error;
    throw new UserError(`${path}: ${error.message}`, { remedy: error.remedy, cause: error });
  }
}

/** What a user should know of the graph. */
function warningsOf({ nodes, weights }: ModelGraph): string[] {
  // Names that the two exporters of PyTorch give what they have computed of a convolution and its normalization.
  const isFolded = weights.some(({ name, op }) => op === 'Conv' && /^onnx::Conv_\d+$|\.weight_bias$/.test(name));
  const isNormalized = nodes.some(({ op }) => op === 'BatchNormalization');
  if (!isFolded || isNormalized) return [];
  return [
    'The batch normalizations of the model are part of its convolutions, as exporting for inference makes them: it trains without any. ' +
      'To keep them, export with training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False, dynamo=False.',
  ];
}
