/**
 * @file The weights of a layer that make up its output units. A unit's group is its rows of the layer's matrices that have the same
 * rows, and its bias: of a recurrent layer in all gates, in the kernel and in the recurrent kernel.
 * All of it zero, the unit puts out a constant: 0 for a hyperbolic tangent, for rectifiers and for the recurrent layers of tfjs.
 */
import { gatesOf, unitsNameOf } from '../../targets/gates.ts';
import { viewOfWeight } from '../../targets/matrixView.ts';
import { isMatrix, type MatchedWeight, type NamedWeight } from '../../targets/targets.ts';
import { refusal } from '../refused.ts';

/** A weight with the strengths that its key of `compression.layers` gives it. */
export interface ShrunkWeight extends MatchedWeight {
  readonly parameters: { readonly lambda: number; readonly alpha: number };
}

/** What belongs to the output units of a layer. */
export interface LayerGroup<T> {
  /** Matrices with `units` rows, or several times as many: one for each gate. */
  readonly targets: readonly [T, ...T[]];
  /** One number a row, or several: a GRU of Keras and an LSTM of ONNX have a bias for each kernel. */
  readonly biases: readonly NamedWeight[];
  readonly units: number;
}

/** A layer of which only a part is named, or with different strengths. */
export interface PartialGroup {
  /** Key of `compression.layers`. */
  readonly key: string;
  readonly reason: string;
  readonly remedy: string;
}

/** @param weights all weights of the model */
export function layerGroups<T extends ShrunkWeight>(
  targets: readonly T[],
  weights: readonly NamedWeight[],
): { groups: LayerGroup<T>[]; problems: PartialGroup[] } {
  const byUnits = new Map<string, [T, ...T[]]>();
  for (const target of targets) {
    const name = groupOf(target.weight);
    const group = byUnits.get(name);
    if (group) group.push(target);
    else byUnits.set(name, [target]);
  }
  const groups = Array.from(byUnits.values(), (group): LayerGroup<T> => {
    const [{ weight, view }] = group;
    const units = view.rows / gatesOf(weight, weights);
    return { targets: group, biases: biasesOf(group, units, weights), units };
  });
  return { groups, problems: groups.flatMap((group) => problemOf(group, weights) ?? []) };
}

/** A name that matrices share whose rows are the same units: where nothing tells, those of a layer with as many rows share it. */
function groupOf(weight: NamedWeight): string {
  return unitsNameOf(weight) ?? JSON.stringify([weight.layer, viewOfWeight(weight).rows]);
}

function biasesOf(
  [{ weight, view }]: readonly [ShrunkWeight, ...ShrunkWeight[]],
  units: number,
  weights: readonly NamedWeight[],
): NamedWeight[] {
  if (weight.units) {
    const { of } = weight.units;
    const own = weights.filter((other) => other.units?.of === of && !isMatrix(other));
    const told = own.filter(({ shape }) => shape.length > 0 && shape[shape.length - 1] % units === 0);
    if (told.length > 0) return told;
  }
  const own = weights.filter(({ layer }) => layer === weight.layer);
  const isBias = ({ weight: name, shape }: NamedWeight) => /^bias(?:_\d+)?$/.test(name) && shape.at(-1) === view.rows;
  // Cells that are stacked have their weights one after the other: some may have no bias.
  const first = own.findIndex((other) => other.name === weight.name);
  const next = own.findIndex((other, i) => i > first && isMatrix(other) && groupOf(other) !== groupOf(weight));
  const bias = own.find((other, i) => isBias(other) && (i > first || first < 0) && (next < 0 || i < next));
  return bias ? [bias] : [];
}

function problemOf<T extends ShrunkWeight>(
  { targets }: LayerGroup<T>,
  weights: readonly NamedWeight[],
): PartialGroup | undefined {
  const [first, ...others] = targets;
  const { layer } = first.weight;
  const remedy = `Name the layer: "${layer}" gives all of it the same strengths.`;
  const named = new Set(targets.map(({ weight }) => weight.name));
  const missing = weights.find(
    (weight) =>
      weight.layer === layer &&
      isMatrix(weight) &&
      !named.has(weight.name) &&
      refusal('group-lasso', weight) === undefined &&
      groupOf(weight) === groupOf(first.weight),
  );
  if (missing)
    return {
      key: first.key,
      reason: `names ${first.weight.name} without ${missing.name}, and the units of ${layer} are rows of both`,
      remedy,
    };
  const other = others.find(
    ({ parameters: { lambda, alpha } }) => lambda !== first.parameters.lambda || alpha !== first.parameters.alpha,
  );
  return (
    other && {
      key: other.key,
      reason: `gives ${other.weight.name} other strengths than ${first.weight.name} has, and the units of ${layer} are rows of both`,
      remedy,
    }
  );
}
