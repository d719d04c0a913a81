/** @file Layers of a model as two where their kernel has a low rank, after a training that made it low (Alvarez & Salzmann 2017, section 3.3). */
import type { StoredTensor } from '../../formats/packed/packedFile.ts';
import { singularValues } from '../../linalg/singularValues.ts';
import { truncate } from '../../linalg/truncate.ts';
import { didYouMean } from '../../protocol/experiment/didYouMean.ts';
import { LayerPattern } from '../../protocol/experiment/layerPattern.ts';
import { rankForEnergy, type EnergyOf } from '../../protocol/model/spectrumEnergy.ts';
import { elementCount } from '../../protocol/shape.ts';
import { ExitCode, UserError } from '../../protocol/userError.ts';
import {
  canBeFactored,
  isSmaller,
  kernelOf,
  withFactoredLayers,
  type FactoredModel,
  type KernelFactors,
} from './factoredLayers.ts';
import { mapLayers } from './savedLayers.ts';
import type { StoredModel } from './shrink.ts';

export interface FactorSettings {
  /** Part of the energy of each kernel that its factors keep, above 0; 1 for all of it. */
  readonly energy: number;
  /** What energy is the sum of. */
  readonly of: EnergyOf;
  /** Names and patterns of the layers that may become two; default: all that can. */
  readonly layers?: readonly string[] | undefined;
}

/** Part of the largest singular value below which values are rounding: a float32 matrix of lower rank has such ones. */
const ROUNDING = 1e-6;

/**
 * Splits each dense layer and convolution whose factors keep the wanted energy and are less than its kernel.
 * @throws UserError for a layer that is named and cannot be split; RangeError for a kernel with a number that is not finite
 */
export async function factorLayers(model: StoredModel, settings: FactorSettings): Promise<FactoredModel> {
  const factors = new Map<string, KernelFactors>();
  for (const path of chosen(layersToFactor(model), settings.layers)) {
    const found = await factorsOf(model.tensors.get(kernelOf(path))!, settings);
    if (found) factors.set(path, found);
  }
  return withFactoredLayers(model, (path) => factors.get(path));
}

/** @throws UserError for a name that none of the layers has */
function chosen(layers: readonly string[], names: readonly string[] | undefined): readonly string[] {
  if (!names) return layers;
  const patterns = names.map((name) => new LayerPattern(name));
  patterns.forEach((pattern, i) => {
    if (layers.some((layer) => pattern.matches(layer))) return;
    const meant = didYouMean(names[i], layers);
    throw new UserError(`There is no layer '${names[i]}' that can become two.`, {
      remedy: `${meant === undefined ? '' : `Did you mean '${meant}'? `}Dense layers and convolutions can: ${layers.join(', ')}.`,
      exitCode: ExitCode.usage,
    });
  });
  return layers.filter((layer) => patterns.some((pattern) => pattern.matches(layer)));
}

function layersToFactor({ topology, tensors }: StoredModel): string[] {
  const found: string[] = [];
  mapLayers(topology, (path, layer, isWrapped) => {
    if (canBeFactored(layer, isWrapped) && tensors.has(kernelOf(path))) found.push(path);
    return [layer];
  });
  return found;
}

async function factorsOf({ shape, data }: StoredTensor, settings: FactorSettings): Promise<KernelFactors | undefined> {
  const units = shape.at(-1)!;
  const inputs = elementCount(shape.slice(0, -1));
  if (!isSmaller(shape, 1)) return undefined;
  const kernel = Float32Array.from(data as Float32Array);
  const rank = rankOf(await singularValues(kernel, inputs, units), settings);
  if (!isSmaller(shape, rank)) return undefined;
  const { left, right } = await truncate(kernel, inputs, units, rank);
  return balanced(left, right, rank);
}

/** At least 1: a layer of zeros keeps its biases. */
function rankOf(values: Float64Array, { energy, of }: FactorSettings): number {
  const rank =
    energy === 1 ? values.filter((value) => value > ROUNDING * values[0]).length : rankForEnergy(values, energy, of);
  return Math.max(1, rank);
}

/** The same product with equal norms of each column of L and row of R, so that a training moves both alike. */
function balanced(left: Float32Array, right: Float32Array, rank: number): KernelFactors {
  const [inputs, units] = [left.length / rank, right.length / rank];
  const scales = Float64Array.from({ length: rank }, (_, direction) => {
    let [ofLeft, ofRight] = [0, 0];
    for (let input = 0; input < inputs; input++) ofLeft += left[input * rank + direction] ** 2;
    for (let unit = 0; unit < units; unit++) ofRight += right[direction * units + unit] ** 2;
    return ofLeft > 0 && ofRight > 0 ? (ofRight / ofLeft) ** 0.25 : 1;
  });
  return {
    rank,
    left: left.map((value, index) => value * scales[index % rank]),
    right: right.map((value, index) => value / scales[Math.floor(index / units)]),
  };
}
