/** @file Changes of how a weight is compressed that come after something else is trained in its place. */
import { isDeepStrictEqual } from 'node:util';
import { policyFacts } from '../protocol/experiment/methods/policies.ts';
import type { Compression } from '../protocol/experiment/schema.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { formatSettingPath } from '../protocol/experiment/settingPath.ts';
import { firstStepOf, type StagePlan } from './plan.ts';

/**
 * Trained points belong to the numbers that an earlier compression kept when they were fitted. If it kept others after a change, training
 * would not see it before the last distortion, or before it is resumed.
 *
 * @param current the compressions by the settings in effect
 * @param changed the same by those that take effect right after `step`
 * @throws SettingError where a weight would be compressed otherwise
 */
export function checkInTime(
  current: readonly { readonly compression: Compression }[],
  changed: readonly StagePlan[],
  step: number,
): void {
  for (const [i, later] of changed.entries()) {
    const { policy } = later.compression;
    const from = Math.max(1, firstStepOf(later.compression));
    if (!policyFacts[policy].trainsInstead || step < from) continue;
    const names = new Set(targetsOf(later).map(({ weight }) => weight.name));
    for (const [j, earlier] of changed.slice(0, i).entries())
      for (const { weight, key } of targetsOf(earlier)) {
        const [before, after] = [current[j], earlier].map(({ compression }) => settingsOf(compression, key));
        if (!names.has(weight.name) || isDeepStrictEqual(before, after)) continue;
        throw new SettingError(
          earlier.path,
          `${weight.name} would be compressed otherwise after step ${step}, and by the policy "${policy}" of ` +
            `${formatSettingPath(later.path)} something else is trained in its place from step ${from} on`,
          { remedy: 'Rerun the experiment with it.' },
        );
      }
  }
}

function targetsOf({ units }: StagePlan) {
  return units.flatMap(({ targets }) => targets);
}

/** What a compression does to the weights of one key of its layers. */
function settingsOf({ layers, ...settings }: Compression, key: string) {
  return { ...settings, layers: layers[key] };
}
