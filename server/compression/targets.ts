/** @file Which weights an experiment compresses: the names and globs of `compression.layers` against a model's weights. */
import picomatch from 'picomatch';
import { didYouMean } from '../protocol/didYouMean.ts';
import { SettingError } from '../protocol/settingError.ts';
import { matrixViewOf, type MatrixView } from './matrixView.ts';

/** A weight tensor of the model that is trained; `values` is where it lives and changes in place. */
export interface CompressibleWeight {
  /** `layer/weight`, e.g. `fc1/kernel`. */
  readonly name: string;
  readonly layer: string;
  /** As tfjs names it within the layer: `kernel`, `recurrent_kernel`, `embeddings`, `depthwise_kernel`, … */
  readonly weight: string;
  /** tfjs class name of the layer; tells the kernel of a transposed convolution. */
  readonly layerClass?: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** Where the executor leaves the gradient; a mask clears its masked entries before the optimizer sees them. */
  readonly gradient?: Float32Array;
}

/** A weight that is compressed, with its parameters from the experiment file. */
export interface Target<Parameters> {
  readonly weight: CompressibleWeight;
  readonly view: MatrixView;
  /** Key of `compression.layers` that chose the weight. */
  readonly pattern: string;
  /** Others from the moment at which a user changes them while the run trains. */
  parameters: Parameters;
}

/** How closely a key of `compression.layers` names a weight; a closer key wins over a wider one. */
const Closeness = { none: 0, glob: 1, layer: 2, weight: 3 } as const;
type Closeness = (typeof Closeness)[keyof typeof Closeness];

/** Biases, the weights of normalizations and other vectors are never compressed. */
export function isMatrix(weight: { readonly shape: readonly number[] }): boolean {
  return weight.shape.length >= 2;
}

/**
 * Finds the weights that the keys of `compression.layers` name. A key is a layer (`fc1`: all its matrices), a weight
 * (`lstm/recurrent_kernel`), or a glob of either (`fc*`, `lstm?/kernel`). A weight's own name wins over its layer's, and that
 * over a glob.
 *
 * @throws SettingError for a key that names nothing that can be compressed, and for two globs that name the same weight
 */
export function matchTargets<Parameters>(
  layers: Readonly<Record<string, Parameters>>,
  weights: readonly CompressibleWeight[],
): Target<Parameters>[] {
  const keys = Object.keys(layers).map((pattern) => ({ pattern, closenessTo: closenessOf(pattern) }));
  for (const { pattern, closenessTo } of keys) {
    const named = weights.filter((weight) => closenessTo(weight) > Closeness.none);
    if (named.length === 0) throw unknownLayer(pattern, weights);
    if (!named.some(isMatrix)) throw onlyVectors(pattern, named);
  }
  return weights.filter(isMatrix).flatMap((weight) => {
    const closest = Math.max(...keys.map(({ closenessTo }) => closenessTo(weight)));
    if (closest <= Closeness.none) return [];
    const [{ pattern }, rival] = keys.filter(({ closenessTo }) => closenessTo(weight) === closest);
    if (rival) throw namedTwice(weight, pattern, rival.pattern);
    const view = matrixViewOf(weight.shape, weight.weight, weight.layerClass);
    return [{ weight, view, pattern, parameters: layers[pattern] }];
  });
}

function closenessOf(pattern: string): (weight: CompressibleWeight) => Closeness {
  const matches = picomatch(pattern, { dot: true });
  return ({ name, layer }) => {
    if (pattern === name) return Closeness.weight;
    if (pattern === layer) return Closeness.layer;
    return matches(layer) || matches(name) ? Closeness.glob : Closeness.none;
  };
}

function unknownLayer(pattern: string, weights: readonly CompressibleWeight[]): SettingError {
  const matrices = weights.filter(isMatrix);
  const layers = [...new Set(matrices.map(({ layer }) => layer))];
  const meant = didYouMean(pattern, pattern.includes('/') ? matrices.map(({ name }) => name) : layers);
  return wrongKey(
    pattern,
    'matches no layer of the model',
    `${meant === undefined ? '' : `Did you mean "${meant}"? `}The model's layers are: ${layers.join(', ')}.`,
  );
}

function onlyVectors(pattern: string, named: readonly CompressibleWeight[]): SettingError {
  return wrongKey(
    pattern,
    `matches only ${named.map(({ name }) => name).join(', ')}, which cannot be compressed`,
    'Biases and other vectors stay as they are; name a layer with a matrix.',
  );
}

function namedTwice(weight: CompressibleWeight, first: string, second: string): SettingError {
  return wrongKey(
    second,
    `matches ${weight.name}, and so does "${first}"`,
    `Narrow one of them, or add "${weight.name}" itself: an exact name wins.`,
  );
}

function wrongKey(pattern: string, reason: string, remedy: string): SettingError {
  return new SettingError(['compression', 'layers', pattern], reason, { at: 'key', remedy });
}
