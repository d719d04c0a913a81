/** @file What the compression of an experiment file makes of a model: which key compresses which weight, and to what size. */
import { predictSizes, type LayerSetting } from '../compression/predictSize.ts';
import { modelSize, type ModelSize } from '../compression/size.ts';
import { LayerKeys } from '../compression/targets/targets.ts';
import type { LayerSize } from '../protocol/run/events.ts';
import type { DescribedWeight, ModelDescription } from '../protocol/model/modelDescription.ts';
import type { ExperimentDocument } from './experimentDocument.ts';
import { readCompression } from './readCompression.ts';

export class CompressedModel {
  readonly keys: LayerKeys<DescribedWeight>;
  readonly #keyOf: ReadonlyMap<DescribedWeight, string>;
  readonly #settings: ReadonlyMap<string, LayerSetting | undefined>;
  readonly #sizes: ReadonlyMap<DescribedWeight, LayerSize>;

  constructor(model: ModelDescription, settings: ReadonlyMap<string, LayerSetting | undefined>) {
    this.keys = keysOf(model);
    this.#settings = settings;
    this.#keyOf = new Map(Array.from(this.keys.closest([...settings.keys()]), ([weight, [key]]) => [weight, key]));
    const sizes = predictSizes(model.weights, (weight) => this.settingOf(weight));
    this.#sizes = new Map(model.weights.map((weight, i) => [weight, sizes[i]]));
  }

  /** How a weight is compressed; undefined where it is not, or where the file does not tell. */
  settingOf(weight: DescribedWeight): LayerSetting | undefined {
    const key = this.#keyOf.get(weight);
    return key === undefined ? undefined : this.#settings.get(key);
  }

  /** The matrices that a key compresses: no closer key names them. */
  weightsOf(key: string): DescribedWeight[] {
    return this.keys.named(key).filter((weight) => this.#keyOf.get(weight) === key);
  }

  sizeOf(weight: DescribedWeight): LayerSize {
    return this.#sizes.get(weight)!;
  }

  /** Of some weights, or of the whole model. */
  total(weights: Iterable<DescribedWeight> = this.#sizes.keys()): ModelSize {
    return modelSize(Array.from(weights, (weight) => this.sizeOf(weight)));
  }
}

const knownKeys = new WeakMap<ModelDescription, LayerKeys<DescribedWeight>>();

/** What keys name in a model is kept as long as the model is known. */
export function keysOf(model: ModelDescription): LayerKeys<DescribedWeight> {
  let keys = knownKeys.get(model);
  if (!keys) knownKeys.set(model, (keys = new LayerKeys(model.weights)));
  return keys;
}

const known = new WeakMap<ExperimentDocument, { model: ModelDescription; compressed: CompressedModel | undefined }>();

/** Undefined without a model, or without a compression. Several features ask for one version of a file. */
export function compressedModel(
  document: ExperimentDocument,
  model: ModelDescription | undefined,
): CompressedModel | undefined {
  if (!model) return undefined;
  const before = known.get(document);
  if (before?.model === model) return before.compressed;
  const compression = readCompression(document);
  const compressed = compression && new CompressedModel(model, compression.layers);
  known.set(document, { model, compressed });
  return compressed;
}
