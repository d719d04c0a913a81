/** @file The settings that a user can change while a run trains. Apart, since the editor's start needs no facts of methods. */
import { placedCompressions, withinCompression } from './compressions.ts';
import { methodFacts, methodNames } from './methods/index.ts';
import { policyFacts } from './methods/policies.ts';
import type { ExperimentSettings } from './schema.ts';
import { formatSettingPath, parseSettingPath } from './settingPath.ts';

/** The settings, apart from parameters of layers, that a run can take while it trains. */
const changeable = [
  /^training\.optimizer\.learningRate$/,
  /^training\.learningRateSchedule\b/,
  /^compression(?:\[\d+\])?\.(?:distortEvery|unit|schedule)\b/,
];
/** The parameters of layers; a run can take all of them but those that it keeps. */
const layerParameter = /^compression(?:\[\d+\])?\.layers(?:\.[^.[]+|\["(?:[^"\\]|\\.)*"\])\.(?<name>[^.[]+)/;

const keptParameters = methodNames.flatMap((method) => methodFacts[method].keptParameters ?? []);
const parametersInWords = [...new Set(methodNames.flatMap((method) => methodFacts[method].changeable))];

/** For people: the settings that {@link whyFixed} lets pass. */
export const CHANGEABLE_SETTINGS =
  `the layers' ${parametersInWords.slice(0, -1).join(', ')} and ${parametersInWords.at(-1)}, the schedule, distortEvery, ` +
  'the learning rate and its schedule';

/**
 * @returns the reason why a run cannot take a change of a setting while it trains; undefined where it can
 * @param path name of the setting
 * @param experiment the experiment that is trained
 */
export function whyFixed(path: string, experiment: ExperimentSettings): string | undefined {
  const parameter = layerParameter.exec(path)?.groups?.name;
  const isChangeable =
    parameter === undefined ? changeable.some((pattern) => pattern.test(path)) : !keptParameters.includes(parameter);
  if (!isChangeable) return 'a run keeps it from its first step on';
  const within = withinCompression(parseSettingPath(path) ?? []);
  const changed = placedCompressions(experiment).find(
    (compression) => within && formatSettingPath(compression.path) === formatSettingPath(within.compression),
  );
  return changed && policyFacts[changed.settings.policy].keepsSettings;
}
