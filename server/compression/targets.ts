/** @file Which weights an experiment compresses: the names and globs of `compression.layers` against a model's weights. */
import picomatch from 'picomatch';
import { didYouMean } from '../protocol/didYouMean.ts';
import { SettingError } from '../protocol/settingError.ts';
import { matrixViewOf, type MatrixView } from './matrixView.ts';

/** A weight tensor of a model, as it is named. */
export interface NamedWeight {
  /** `layer/weight`, e.g. `fc1/kernel`. */
  readonly name: string;
  readonly layer: string;
  /** As tfjs names it within the layer: `kernel`, `recurrent_kernel`, `embeddings`, `depthwise_kernel`, … */
  readonly weight: string;
  /** tfjs class name of the layer; tells the kernel of a transposed convolution. */
  readonly layerClass?: string | undefined;
  /** Layer whose output the weight multiplies, at most with dropout between them; undefined where there is none such. */
  readonly inputLayer?: string | undefined;
  readonly shape: readonly number[];
}

/** A weight tensor of the model that is trained; `values` is where it lives and changes in place. */
export interface CompressibleWeight extends NamedWeight {
  readonly values: Float32Array;
  /** Where the executor leaves the gradient; a mask clears its masked entries before the optimizer sees them. */
  readonly gradient?: Float32Array;
}

/** A weight that is compressed, with its parameters from the experiment file. */
export interface Target<Parameters, Weight extends NamedWeight = CompressibleWeight> {
  readonly weight: Weight;
  readonly view: MatrixView;
  /** Key of `compression.layers` that chose the weight. */
  readonly pattern: string;
  readonly parameters: Parameters;
}

/** How closely a key of `compression.layers` names a weight; a closer key wins over a wider one. */
const Closeness = { none: 0, glob: 1, layer: 2, weight: 3 } as const;
type Closeness = (typeof Closeness)[keyof typeof Closeness];

/** Biases, the weights of normalizations and other vectors are never compressed. */
export function isMatrix(weight: { readonly shape: readonly number[] }): boolean {
  return weight.shape.length >= 2;
}

/** What is wrong with a key of `compression.layers`. */
export interface KeyProblem {
  readonly pattern: string;
  readonly code: 'matches-nothing' | 'matches-vectors' | 'matched-twice';
  readonly reason: string;
  readonly remedy: string;
  /** The name of a layer, or of a weight, that was probably meant. */
  readonly meant?: string | undefined;
  /** Of a weight that is matched twice: its name. */
  readonly weight?: string;
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
  const { targets, problems } = assignTargets(layers, weights);
  if (problems.length === 0) return targets;
  const [{ pattern, reason, remedy }] = problems;
  throw new SettingError(['compression', 'layers', pattern], reason, { at: 'key', remedy });
}

/** The same with everything that is wrong; a weight that two globs name is a target of the first. */
export function assignTargets<Parameters, Weight extends NamedWeight>(
  layers: Readonly<Record<string, Parameters>>,
  weights: readonly Weight[],
): { targets: Target<Parameters, Weight>[]; problems: KeyProblem[] } {
  const keys = Object.keys(layers).map((pattern) => ({ pattern, closenessTo: closenessOf(pattern) }));
  const problems: KeyProblem[] = [];
  for (const { pattern, closenessTo } of keys) {
    const named = weights.filter((weight) => closenessTo(weight) > Closeness.none);
    if (named.length === 0) problems.push(matchesNothing(pattern, weights));
    else if (!named.some(isMatrix)) problems.push(matchesVectors(pattern, named));
  }
  const rivals = new Set<string>();
  const targets = weights.filter(isMatrix).flatMap((weight): Target<Parameters, Weight>[] => {
    const closest = Math.max(...keys.map(({ closenessTo }) => closenessTo(weight)));
    if (closest <= Closeness.none) return [];
    const [{ pattern }, rival] = keys.filter(({ closenessTo }) => closenessTo(weight) === closest);
    if (rival && !rivals.has(JSON.stringify([pattern, rival.pattern]))) {
      rivals.add(JSON.stringify([pattern, rival.pattern]));
      problems.push(matchedTwice(weight, pattern, rival.pattern));
    }
    const view = matrixViewOf(weight.shape, weight.weight, weight.layerClass);
    return [{ weight, view, pattern, parameters: layers[pattern] }];
  });
  return { targets, problems };
}

/** A key without these is a name. */
const GLOB_SIGNS = /[*?[\]{}()!+@\\.]/;

function closenessOf(pattern: string): (weight: NamedWeight) => Closeness {
  const matches = GLOB_SIGNS.test(pattern) ? picomatch(pattern, { dot: true }) : () => false;
  return ({ name, layer }) => {
    if (pattern === name) return Closeness.weight;
    if (pattern === layer) return Closeness.layer;
    return matches(layer) || matches(name) ? Closeness.glob : Closeness.none;
  };
}

function matchesNothing(pattern: string, weights: readonly NamedWeight[]): KeyProblem {
  const matrices = weights.filter(isMatrix);
  const layers = [...new Set(matrices.map(({ layer }) => layer))];
  const meant = didYouMean(pattern, pattern.includes('/') ? matrices.map(({ name }) => name) : layers);
  return {
    pattern,
    code: 'matches-nothing',
    reason: 'matches no layer of the model',
    remedy: `${meant === undefined ? '' : `Did you mean "${meant}"? `}The model's layers are: ${layers.join(', ')}.`,
    meant,
  };
}

function matchesVectors(pattern: string, named: readonly NamedWeight[]): KeyProblem {
  return {
    pattern,
    code: 'matches-vectors',
    reason: `matches only ${named.map(({ name }) => name).join(', ')}, which cannot be compressed`,
    remedy: 'Biases and other vectors stay as they are; name a layer with a matrix.',
  };
}

function matchedTwice({ name }: NamedWeight, first: string, second: string): KeyProblem {
  return {
    pattern: second,
    code: 'matched-twice',
    reason: `matches ${name}, and so does "${first}"`,
    remedy: `Narrow one of them, or add "${name}" itself: an exact name wins.`,
    weight: name,
  };
}
