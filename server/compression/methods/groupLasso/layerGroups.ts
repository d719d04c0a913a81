/**
 * @file The weights of a layer that make up its output units. A unit's group is its rows of the layer's matrices that have the same
 * rows, and its bias: of a recurrent layer in all gates, in the kernel and in the recurrent kernel.
 * All of it zero, the unit puts out a constant: 0 for a hyperbolic tangent, for rectifiers and for the recurrent layers of tfjs.
 */
import { gatesOf } from '../../targets/gates.ts';
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
  /** One number a row, where the layer has it. */
  readonly bias: NamedWeight | undefined;
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
  const byRows = new Map<string, [T, ...T[]]>();
  for (const target of targets) {
    const id = JSON.stringify([target.weight.layer, target.view.rows]);
    const group = byRows.get(id);
    if (group) group.push(target);
    else byRows.set(id, [target]);
  }
  const groups = Array.from(byRows.values(), (group): LayerGroup<T> => {
    const [{ weight, view }] = group;
    const own = weights.filter(({ layer }) => layer === weight.layer);
    const bias = own.find((other) => other.weight === 'bias' && other.shape.join() === String(view.rows));
    return { targets: group, bias, units: view.rows / gatesOf(weight, own) };
  });
  return { groups, problems: groups.flatMap((group) => problemOf(group, weights) ?? []) };
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
      viewOfWeight(weight).rows === first.view.rows,
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
