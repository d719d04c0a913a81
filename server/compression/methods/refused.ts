/** @file Weights that a method cannot take. */
import { methodFacts } from '../../protocol/experiment/methods/index.ts';
import type { Method } from '../../protocol/experiment/schema.ts';
import type { MatchedWeight, NamedWeight } from '../targets/targets.ts';

/** A key of `compression.layers` that names such a weight. */
export interface Refused {
  readonly key: string;
  readonly reason: string;
  readonly remedy: string;
}

/** Why a method cannot take a weight; undefined where it can. */
export function refusal(method: Method, { weight, kind }: NamedWeight): string | undefined {
  return methodFacts[method].refuses?.[kind ?? weight];
}

/** The targets that a method cannot take, each with why and what to do. */
export function refusedTargets(method: Method, targets: readonly MatchedWeight[]): Refused[] {
  return targets.flatMap(({ weight, key }) => {
    const why = refusal(method, weight);
    if (why === undefined) return [];
    const remedy = 'Leave the layer out, or name those of its weights that the method can take.';
    return [{ key, reason: `names ${weight.name}, which "${method}" cannot take: ${why}`, remedy }];
  });
}
