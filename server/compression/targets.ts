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

/** How closely a key of `compression.layers` names a weight; a closer key wins over a wider one. */
const Closeness = { glob: 1, layer: 2, weight: 3 } as const;

/** What makes a key more than a name. */
const GLOB = /[*?[\]{}()!+@|\\]/;

/** Whether a key may name more than one layer or weight. */
export function isGlob(key: string): boolean {
  return GLOB.test(key);
}

/** Biases, the weights of normalizations and other vectors are never compressed. */
export function isMatrix(weight: { readonly shape: readonly number[] }): boolean {
  return weight.shape.length >= 2;
}

/**
 * What the keys of `compression.layers` name in a model. A key is a layer (`fc1`: all its matrices), a weight
 * (`lstm/recurrent_kernel`), or a glob of either (`fc*`, `lstm?/kernel`). A weight's own name wins over its layer's, and that
 * over a glob. What a key names is looked for once: a language server asks at every keystroke.
 */
export class LayerKeys<W extends NamedWeight> {
  readonly #weights: readonly W[];
  readonly #layers: readonly string[];
  readonly #named = new Map<string, readonly W[]>();

  constructor(weights: readonly W[]) {
    this.#weights = weights;
    this.#layers = [...new Set(weights.map(({ layer }) => layer))];
  }

  /** The weights that a key names, vectors too, in the order of the model. */
  named(key: string): readonly W[] {
    let named = this.#named.get(key);
    if (!named) this.#named.set(key, (named = this.#find(key)));
    return named;
  }

  /** The matrices that keys name, in the order of the model, with the closest keys of each: more than one contradict one another. */
  closest(keys: readonly string[]): Map<W, string[]> {
    const found = new Map<W, { closeness: number; keys: string[] }>();
    for (const key of keys)
      for (const weight of this.named(key).filter(isMatrix)) {
        const closeness = closenessOf(key, weight);
        const best = found.get(weight);
        if (!best || closeness > best.closeness) found.set(weight, { closeness, keys: [key] });
        else if (closeness === best.closeness) best.keys.push(key);
      }
    return new Map(
      this.#weights.flatMap((weight) => {
        const best = found.get(weight);
        return best ? [[weight, best.keys] as const] : [];
      }),
    );
  }

  #find(key: string): readonly W[] {
    if (!isGlob(key)) return this.#weights.filter(({ layer, name }) => layer === key || name === key);
    const matches = picomatch(key, { dot: true });
    const layers = new Set(this.#layers.filter((layer) => layer === key || matches(layer)));
    return this.#weights.filter(({ layer, name }) => layers.has(layer) || name === key || matches(name));
  }
}

function closenessOf(key: string, { name, layer }: NamedWeight): number {
  if (key === name) return Closeness.weight;
  return key === layer ? Closeness.layer : Closeness.glob;
}

/**
 * Finds the weights that the keys of `compression.layers` name; see {@link LayerKeys}.
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
  const keys = new LayerKeys(weights);
  const problems: KeyProblem[] = [];
  const patterns = Object.keys(layers);
  for (const pattern of patterns) {
    const named = keys.named(pattern);
    if (named.length === 0) problems.push(matchesNothing(pattern, weights));
    else if (!named.some(isMatrix)) problems.push(matchesVectors(pattern, named));
  }
  const rivals = new Set<string>();
  const targets = Array.from(keys.closest(patterns), ([weight, [pattern, rival]]): Target<Parameters, Weight> => {
    if (rival !== undefined && !rivals.has(JSON.stringify([pattern, rival]))) {
      rivals.add(JSON.stringify([pattern, rival]));
      problems.push(matchedTwice(weight, pattern, rival));
    }
    const view = matrixViewOf(weight.shape, weight.weight, weight.layerClass);
    return { weight, view, pattern, parameters: layers[pattern] };
  });
  return { targets, problems };
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
