/** @file What does not go together in the settings of a quantization, whatever the model is. */
import { isRecord } from '../record.ts';
import { writtenCompressions, type Placed } from './compressions.ts';
import type { SettingProblem } from './problem.ts';
import { formatSettingPath, valueAt } from './settingPath.ts';

/** Kinds of levels with a scale that the gradient can know of. */
const SCALED_BY_ENDS = 'uniform';

/**
 * Checks that numbers of levels fit their bits, and that only levels with such a scale have the gradient of one.
 * @param document the settings as they stand in the file, before validation
 */
export function quantizationProblems(document: unknown): SettingProblem[] {
  return writtenCompressions(document).flatMap((compression) =>
    layersOf(compression).flatMap((layer) => [...pointProblems(layer), ...gradientProblems(layer, compression)]),
  );
}

/** The parameters of each layer. */
function layersOf({ path, settings }: Placed<unknown>): Placed<Record<string, unknown>>[] {
  const layers = valueAt(settings, ['layers']);
  return Object.entries(isRecord(layers) ? layers : {}).flatMap(([key, parameters]) =>
    isRecord(parameters) ? [{ path: [...path, 'layers', key], settings: parameters }] : [],
  );
}

/** A number of levels with which a bit of each code would never be used, or for which there are not enough codes. */
function pointProblems({ path, settings: { bits, points } }: Placed<Record<string, unknown>>): SettingProblem[] {
  if (typeof bits !== 'number' || typeof points !== 'number') return [];
  const [least, most] = [Math.max(2, 2 ** (bits - 1) + 1), 2 ** bits];
  if (least > most || (points >= least && points <= most)) return [];
  const expected = least === most ? String(most) : `${least} to ${most}`;
  return [
    {
      path: [...path, 'points'],
      code: 'combination',
      at: 'value',
      message: `expected ${expected} with ${bits === 1 ? '1 bit' : `${bits} bits`}, got ${points}`,
      related: [[...path, 'bits']],
    },
  ];
}

function gradientProblems(
  { path, settings: { levels } }: Placed<Record<string, unknown>>,
  compression: Placed<unknown>,
): SettingProblem[] {
  const gradient = ['straightThrough', 'gradient'];
  if (valueAt(compression.settings, gradient) !== 'exact-scale' || levels === SCALED_BY_ENDS) return [];
  const setting = [...compression.path, ...gradient];
  return [
    {
      path: [...path, 'levels'],
      code: 'combination',
      at: 'value',
      message: `${formatSettingPath(setting)} "exact-scale" needs "levels": "${SCALED_BY_ENDS}" in each layer`,
      meant: SCALED_BY_ENDS,
      related: [setting],
    },
  ];
}
