/**
 * @file The weights of low rank that share a projection of the vector that they multiply (equation (5) of DeepTwist; Prabhavalkar
 * et al. 2016).
 */
import type { NamedWeight } from '../../targets/targets.ts';

export interface RankedWeight {
  readonly weight: NamedWeight;
  /** Key of `compression.layers` that chose the weight. */
  readonly key: string;
  readonly parameters: { readonly rank: number; readonly sharedProjection: boolean };
}

/**
 * Each weight alone, or, with a shared projection, `[recurrent kernel, kernel, …]` of a layer and of those that its output is
 * multiplied with.
 */
export function projectionUnits<T extends RankedWeight>(targets: readonly T[]): [T, ...T[]][] {
  const recurrents = new Map<string, T>();
  for (const target of targets)
    if (target.weight.weight === 'recurrent_kernel') recurrents.set(target.weight.layer, target);
  const kernels = new Map<T, T[]>();
  const shared = new Set<T>();
  for (const kernel of targets) {
    const recurrent = kernel.weight.inputLayer === undefined ? undefined : recurrents.get(kernel.weight.inputLayer);
    if (!recurrent || !sharesProjection(recurrent, kernel)) continue;
    kernels.set(recurrent, kernels.get(recurrent) ?? []);
    kernels.get(recurrent)!.push(kernel);
    shared.add(kernel);
  }
  return targets.filter((target) => !shared.has(target)).map((target) => [target, ...(kernels.get(target) ?? [])]);
}

/** The first weight of each key that asks for a shared projection and of which no weight has one. */
export function withoutPartner<T extends RankedWeight>(units: readonly (readonly T[])[]): T[] {
  const seen = new Set(units.flatMap((unit) => (unit.length > 1 ? unit.map(({ key }) => key) : [])));
  return units.flat().filter(({ parameters, key }) => {
    if (!parameters.sharedProjection || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

export const NO_PARTNER_REMEDY =
  "A shared projection joins a layer's recurrent_kernel and the kernel of the layer that its output goes to: give both the same rank and sharedProjection, or leave sharedProjection out.";

/** Both multiply the output h of the same layer: its recurrent kernel at the next time step, the kernel in the next layer. */
function sharesProjection(recurrent: RankedWeight, kernel: RankedWeight): boolean {
  return (
    recurrent.weight.weight === 'recurrent_kernel' &&
    kernel.weight.inputLayer === recurrent.weight.layer &&
    recurrent.parameters.sharedProjection &&
    kernel.parameters.sharedProjection &&
    recurrent.parameters.rank === kernel.parameters.rank
  );
}
