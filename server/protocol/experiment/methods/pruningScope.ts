/** @file What goes together with one threshold for all layers that are pruned. */
import { isRecord } from '../../record.ts';
import type { SettingProblem } from '../problem.ts';
import { nOfM, type NOfM } from '../pruningPattern.ts';
import { valueAt, type SettingPath } from '../settingPath.ts';

/** The settings that all layers of a threshold have in common. */
const SHARED = ['pattern', 'block', 'rate'];

/**
 * Checks that the layers under one threshold have the same rate and pattern, and that the pattern has a threshold.
 * @param settings of a compression, before validation; paths start from it
 */
export function scopeProblems(settings: unknown): SettingProblem[] {
  const layers = valueAt(settings, ['layers']);
  if (valueAt(settings, ['scope']) !== 'model' || !isRecord(layers)) return [];
  const [[firstKey, first] = [], ...others] = Object.entries(layers);
  if (firstKey === undefined) return [];
  const numbers = numbersOf(first);
  if (numbers)
    return [
      problem(
        ['layers', firstKey, 'pattern'],
        `chooses within each ${numbers.of} weights, so that there is no threshold to share; leave out "scope": "model"`,
        [['scope']],
      ),
    ];
  return others.flatMap(([key, other]) =>
    SHARED.flatMap((name) => {
      const [wanted, value] = [shown(first, name), shown(other, name)];
      if (wanted === value) return [];
      const place: SettingPath = value === undefined ? ['layers', key] : ['layers', key, name];
      const expected = wanted === undefined ? `no ${name}` : `the ${name} ${wanted}`;
      return [
        problem(
          place,
          `expected ${expected} as in "${firstKey}": with "scope": "model" all layers share one threshold`,
          [['scope'], ['layers', firstKey]],
        ),
      ];
    }).slice(0, 1),
  );
}

/** The numbers of the pattern N:M of a layer, as it is written. */
export function numbersOf(layer: unknown): NOfM | undefined {
  const pattern = valueAt(layer, ['pattern']);
  return typeof pattern === 'string' ? nOfM(pattern) : undefined;
}

/** As JSON, so that blocks can be compared, too; a pattern that is not written is that of single weights. */
function shown(layer: unknown, name: string): string | undefined {
  const value = valueAt(layer, [name]);
  return name === 'pattern' ? JSON.stringify(value ?? 'element') : JSON.stringify(value);
}

function problem(path: SettingPath, message: string, related: SettingPath[]): SettingProblem {
  return { path, code: 'combination', at: 'value', message, related };
}
