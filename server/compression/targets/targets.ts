/** @file The weights that an experiment compresses: the names and globs of `compression.layers` against a model's weights. */
import { didYouMean } from '../../protocol/experiment/didYouMean.ts';
import { isPattern, LayerPattern } from '../../protocol/experiment/layerPattern.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { viewOfWeight, type MatrixView, type ViewedWeight } from './matrixView.ts';

/** A weight tensor of a model, as it is named. */
export interface NamedWeight extends ViewedWeight {
  /** `layer/weight`, e.g. `fc1/kernel`. */
  readonly name: string;
  readonly layer: string;
  /** Layer whose output the weight multiplies, at most with dropout between them; undefined where there is none such. */
  readonly inputLayer?: string | undefined;
  /**
   * What has its output units, and how many gates each of them has, where the model says so: an ONNX graph does. Weights with the same name
   * of it have the same units.
   */
  readonly units?: { readonly of: string; readonly gates: number } | undefined;
  /** What TensorFlow.js would call it, where its name in an ONNX graph does not say so. */
  readonly kind?: 'depthwise_kernel' | 'embeddings' | undefined;
  /** True for a bias or a scale with several axes, where the model says so: an ONNX graph does. */
  readonly isVector?: boolean | undefined;
}

/** A weight tensor of the model that is trained; `values` is where it lives and changes in place. */
export interface CompressibleWeight extends NamedWeight {
  readonly values: Float32Array;
  /** The gradient, as the executor leaves it; a mask clears its masked entries before the optimizer sees them. */
  readonly gradient?: Float32Array;
}

/** All that names a weight, for what outlives its memory. */
export function nameOnly({ values: _values, gradient: _gradient, ...named }: CompressibleWeight): NamedWeight {
  return named;
}

/** A weight that an experiment compresses. */
export interface MatchedWeight<Weight extends NamedWeight = NamedWeight> {
  readonly weight: Weight;
  readonly view: MatrixView;
  /** Key of `compression.layers` that chose the weight. */
  readonly key: string;
}

/** A weight that is compressed, with its parameters from the experiment file. */
export interface Target<Parameters, Weight extends NamedWeight = NamedWeight> extends MatchedWeight<Weight> {
  readonly parameters: Parameters;
}

/** What is wrong with a key of `compression.layers`. */
export interface KeyProblem {
  readonly key: string;
  readonly code: 'matches-nothing' | 'matches-vectors' | 'matched-twice';
  readonly reason: string;
  readonly remedy: string;
  /** The name of a layer, or of a weight, that was probably meant. */
  readonly meant?: string | undefined;
  /** Name of the weight that two keys match. */
  readonly weight?: string;
}

/** How closely a key of `compression.layers` names a weight; a closer key wins over a wider one. */
const Closeness = { glob: 1, layer: 2, weight: 3 } as const;

/**
 * Most characters that patterns are compared with, each character of a pattern with each of a name, for one file: some
 * tenths of a second. A file of an unknown folder may have any number of patterns, and its model any number of layers.
 */
const MOST_COMPARED = 5e7;
/** Keys that a better name is looked for, and layers that a message lists. */
const SUGGESTED = 20;

/**
 * Biases, the weights of normalizations and other vectors are never compressed; the two rows of biases that a GRU of Keras has are no
 * matrix, nor are those of an LSTM in an ONNX graph.
 */
export function isMatrix({
  shape,
  weight,
  isVector = false,
}: Pick<NamedWeight, 'shape' | 'isVector'> & Partial<Pick<NamedWeight, 'weight'>>): boolean {
  return shape.length >= 2 && weight !== 'bias' && !isVector;
}

/**
 * What the keys of `compression.layers` name in a model. A key is a layer (`fc1`: all its matrices), a weight
 * (`lstm/recurrent_kernel`, `rnn.weight_hh_l0`), or a glob of either (`fc*`, `lstm?/kernel`, `rnn.weight_*`). A weight's own name wins
 * over its layer's, and that over a glob. What a key names is looked for once: a language server asks at every keystroke.
 */
export class LayerKeys<W extends NamedWeight> {
  readonly #weights: readonly W[];
  readonly #byLayer = new Map<string, W[]>();
  readonly #byName = new Map<string, W[]>();
  readonly #named = new Map<string, readonly W[]>();
  /** Comparisons left of {@link MOST_COMPARED}, since {@link closest} was asked last. */
  #compared = 0;

  constructor(weights: readonly W[]) {
    this.#weights = weights;
    for (const weight of weights) {
      addTo(this.#byLayer, weight.layer, weight);
      addTo(this.#byName, weight.name, weight);
    }
  }

  /** The weights that a key names, vectors too, in the order of the model; none for a pattern that is one too many. */
  named(key: string): readonly W[] {
    let named = this.#named.get(key);
    if (!named) {
      named = this.#find(key);
      if (named) this.#named.set(key, named);
    }
    return named ?? [];
  }

  /** True once the patterns of a file are so many or so long that no further one is compared with the model's names. */
  get isExhausted(): boolean {
    return this.#compared > MOST_COMPARED;
  }

  /** The matrices that keys name, in the order of the model, with the closest keys of each: more than one contradict one another. */
  closest(keys: readonly string[]): Map<W, string[]> {
    this.#compared = 0;
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

  /** Undefined for a pattern that is one too many. */
  #find(key: string): readonly W[] | undefined {
    const exact = this.#byName.get(key) ?? [];
    const ofLayer = this.#byLayer.get(key) ?? [];
    const found = new Set([...ofLayer, ...exact]);
    if (!isPattern(key)) return [...found];
    const pattern = new LayerPattern(key);
    for (const names of [this.#byLayer, this.#byName])
      for (const [name, weights] of names) {
        if (names === this.#byName && !pattern.namesWeights(separatorOf(weights[0]))) continue;
        this.#compared += name.startsWith(pattern.prefix) ? key.length * name.length : 1;
        if (this.isExhausted) return undefined;
        if (pattern.matches(name)) for (const weight of weights) found.add(weight);
      }
    return this.#weights.filter((weight) => found.has(weight));
  }
}

/** What stands between the layer and the weight in a name: a dot in the names of PyTorch (`fc1.weight`), else a slash. */
function separatorOf({ name, layer }: NamedWeight): '.' | '/' {
  return name.startsWith(`${layer}.`) ? '.' : '/';
}

function addTo<W>(index: Map<string, W[]>, key: string, weight: W): void {
  const weights = index.get(key);
  if (weights) weights.push(weight);
  else index.set(key, [weight]);
}

function closenessOf(key: string, { name, layer }: NamedWeight): number {
  if (key === name) return Closeness.weight;
  return key === layer ? Closeness.layer : Closeness.glob;
}

/**
 * Finds the weights that the keys of `compression.layers` name; see {@link LayerKeys}.
 *
 * @throws SettingError for a key that names nothing that can be compressed, and for two globs that name the same weight; its setting is
 * given as seen from the compression
 */
export function matchTargets<Parameters, Weight extends NamedWeight>(
  layers: Readonly<Record<string, Parameters>>,
  weights: readonly Weight[],
): Target<Parameters, Weight>[] {
  const { targets, problems } = assignTargets(layers, weights);
  if (problems.length === 0) return targets;
  const [{ key, reason, remedy }] = problems;
  throw new SettingError(['layers', key], reason, { at: 'key', remedy });
}

/** The same with everything that is wrong; a weight that two globs name is a target of the first. */
export function assignTargets<Parameters, Weight extends NamedWeight>(
  layers: Readonly<Record<string, Parameters>>,
  weights: readonly Weight[],
): { targets: Target<Parameters, Weight>[]; problems: KeyProblem[] } {
  const keys = new LayerKeys(weights);
  const problems: KeyProblem[] = [];
  const keyNames = Object.keys(layers);
  const closest = keys.closest(keyNames);
  const names = new NamesToSuggest(weights);
  for (const key of keyNames) {
    const named = keys.named(key);
    if (named.length === 0)
      problems.push(isPattern(key) && keys.isExhausted ? notCompared(key) : matchesNothing(key, names));
    else if (!named.some(isMatrix)) problems.push(matchesVectors(key, named));
  }
  const rivals = new Set<string>();
  const targets = Array.from(closest, ([weight, [key, rival]]): Target<Parameters, Weight> => {
    if (rival !== undefined && !rivals.has(JSON.stringify([key, rival]))) {
      rivals.add(JSON.stringify([key, rival]));
      problems.push(matchedTwice(weight, key, rival));
    }
    const view = viewOfWeight(weight);
    return { weight, view, key, parameters: layers[key] };
  });
  return { targets, problems };
}

/** The names that a key could have been meant as. */
class NamesToSuggest {
  readonly #weights: readonly string[];
  readonly #layers: readonly string[];
  readonly #ofModel: string;
  #asked = 0;

  constructor(weights: readonly NamedWeight[]) {
    const matrices = weights.filter(isMatrix);
    this.#weights = matrices.map(({ name }) => name);
    this.#layers = [...new Set(matrices.map(({ layer }) => layer))];
    this.#ofModel = `The model's layers are: ${listed(this.#layers)}.`;
  }

  /**
   * What was probably meant, undefined for what is like no name and once many have been asked for; and names of the model in words, those
   * that begin as the key does where there are some.
   */
  for(key: string): { meant: string | undefined; near: string } {
    if (++this.#asked > SUGGESTED) return { meant: undefined, near: this.#ofModel };
    return { meant: this.#inside(key) ?? this.#alike(key), near: this.#near(key) ?? this.#ofModel };
  }

  /** The layers inside a module or a nested model that a key names: `layer1.*` for `layer1`. */
  #inside(key: string): string | undefined {
    if (isPattern(key)) return undefined;
    const separator = ['.', '/'].find((sign) => this.#layers.some((layer) => layer.startsWith(key + sign)));
    return separator && `${key}${separator}*`;
  }

  #alike(key: string): string | undefined {
    return didYouMean(key, /[./]/.test(key) ? [...this.#layers, ...this.#weights] : this.#layers);
  }

  /** The weights that begin as a key does, up to its last dot or slash that any of them has. */
  #near(key: string): string | undefined {
    for (let start = new LayerPattern(key).prefix; ; start = start.slice(0, -1)) {
      start = start.replace(/[^./]*$/, '');
      if (start === '') return undefined;
      const names = this.#weights.filter((name) => name.startsWith(start));
      if (names.length > 0) return `Matrices of ${start.slice(0, -1)} are: ${listed(names)}.`;
    }
  }
}

/** The first names, and how many more there are. */
function listed(names: readonly string[]): string {
  const more = names.length - SUGGESTED;
  return names.slice(0, SUGGESTED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function matchesNothing(key: string, names: NamesToSuggest): KeyProblem {
  const { meant, near } = names.for(key);
  return {
    key,
    code: 'matches-nothing',
    reason: 'matches no layer of the model',
    remedy: (meant === undefined ? '' : `Did you mean "${meant}"? `) + near,
    meant,
  };
}

function notCompared(key: string): KeyProblem {
  return {
    key,
    code: 'matches-nothing',
    reason: 'was not compared with the layers of the model: the patterns of the file are too many and too long',
    remedy: 'Name layers by themselves, or by fewer and shorter patterns.',
  };
}

function matchesVectors(key: string, named: readonly NamedWeight[]): KeyProblem {
  return {
    key,
    code: 'matches-vectors',
    reason: `matches only ${named.map(({ name }) => name).join(', ')}, which cannot be compressed`,
    remedy: 'Biases and other vectors stay as they are; name a layer with a matrix.',
  };
}

function matchedTwice({ name }: NamedWeight, first: string, second: string): KeyProblem {
  return {
    key: second,
    code: 'matched-twice',
    reason: `matches ${name}, and so does "${first}"`,
    remedy: `Narrow one of them, or add "${name}" itself: an exact name wins.`,
    weight: name,
  };
}
