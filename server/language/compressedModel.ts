/** @file What the compressions of an experiment file make of a model: which key compresses which weight, and to what size. */
import { predictSizes, type LayerSetting } from '../compression/predictSize.ts';
import { modelSize, type ModelSize } from '../compression/size.ts';
import { LayerKeys } from '../compression/targets/targets.ts';
import type { LayerSize } from '../protocol/run/events.ts';
import type { DescribedWeight, ModelDescription } from '../protocol/model/modelDescription.ts';
import { formatSettingPath, type SettingPath } from '../protocol/experiment/settingPath.ts';
import type { ExperimentDocument } from './experimentDocument.ts';
import { isSizeKnown, readCompressions, type ReadCompression } from './readCompression.ts';

export class CompressedModel {
  readonly keys: LayerKeys<DescribedWeight>;
  /** For each compression, by its path, the key that chose each weight. */
  readonly #keyOf = new Map<string, ReadonlyMap<DescribedWeight, string>>();
  readonly #compressions: readonly ReadCompression[];
  readonly #sizes: ReadonlyMap<DescribedWeight, LayerSize>;

  constructor(model: ModelDescription, compressions: readonly ReadCompression[]) {
    this.keys = keysOf(model);
    this.#compressions = compressions;
    for (const { path, layers } of compressions) {
      const closest = this.keys.closest([...layers.keys()]);
      this.#keyOf.set(formatSettingPath(path), new Map(Array.from(closest, ([weight, [key]]) => [weight, key])));
    }
    const sizes = predictSizes(model.weights, (weight) => this.#settingsOf(weight));
    this.#sizes = new Map(model.weights.map((weight, i) => [weight, sizes[i]]));
  }

  /** How a weight is compressed, as far as the file tells. */
  #settingsOf(weight: DescribedWeight): LayerSetting[] {
    return this.compressionsOf(weight).flatMap(({ compression, key }) => compression.layers.get(key) ?? []);
  }

  #keyIn(path: SettingPath, weight: DescribedWeight): string | undefined {
    return this.#keyOf.get(formatSettingPath(path))?.get(weight);
  }

  /** The matrices that a key of a compression compresses: no closer key of it names them. */
  weightsOf({ path }: Pick<ReadCompression, 'path'>, key: string): DescribedWeight[] {
    return this.keys.named(key).filter((weight) => this.#keyIn(path, weight) === key);
  }

  /** The compressions of a weight, in their order, each with the key that chose the weight. */
  compressionsOf(weight: DescribedWeight): { compression: ReadCompression; key: string }[] {
    return this.#compressions.flatMap((compression) => {
      const key = this.#keyIn(compression.path, weight);
      return key === undefined ? [] : [{ compression, key }];
    });
  }

  /** The first compression of a weight that leaves a size which is not known before the training, with its key; undefined where it is known. */
  unknownSizeOf(weight: DescribedWeight): { compression: ReadCompression; key: string } | undefined {
    return this.compressionsOf(weight).find(({ compression, key }) => !isSizeKnown(compression, key));
  }

  /** True if the sizes of some weights, or of all, are known before the training. */
  isSizeKnown(weights: Iterable<DescribedWeight> = this.#sizes.keys()): boolean {
    return Array.from(weights).every((weight) => this.unknownSizeOf(weight) === undefined);
  }

  /** The dense size where {@link unknownSizeOf} finds a compression. */
  sizeOf(weight: DescribedWeight): LayerSize {
    return this.#sizes.get(weight)!;
  }

  /** Size of some weights, or of the whole model. */
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
  const compressions = readCompressions(document);
  const compressed = compressions.length > 0 ? new CompressedModel(model, compressions) : undefined;
  known.set(document, { model, compressed });
  return compressed;
}
