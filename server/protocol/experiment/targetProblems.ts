/** @file What is wrong with `target` of an experiment file, by itself and beside the compressions that it is for. */
import { isRecord } from '../record.ts';
import { isSizePredicted } from './methods/index.ts';
import { openSettings } from './openSettings.ts';
import type { SettingProblem } from './problem.ts';
import { bytesOf } from './schema/target.ts';
import { isWithin, valueAt, type SettingPath } from './settingPath.ts';
import { compressionsAsWritten } from './writtenCompression.ts';

const TARGET: SettingPath = ['target'];

/**
 * Checks that a target says what it wants, once, and that the compressions are such that settings can be found for them.
 * @param document the settings as they stand in the file, before validation
 */
export function targetProblems(document: unknown): SettingProblem[] {
  const target = valueAt(document, TARGET);
  if (!isRecord(target)) return [];
  return [...aimProblems(target), ...boundProblems(target), ...compressionProblems(document)];
}

function aimProblems({ bytes, ratio, maxDrop }: Readonly<Record<string, unknown>>): SettingProblem[] {
  if (bytes === undefined && ratio === undefined && maxDrop === undefined)
    return [
      {
        path: TARGET,
        code: 'missing-setting',
        at: 'key',
        message: 'missing: expected "bytes", "ratio" or "maxDrop", or a size and "maxDrop"',
      },
    ];
  if (bytes !== undefined && ratio !== undefined)
    return [
      {
        path: [...TARGET, 'ratio'],
        code: 'combination',
        at: 'key',
        message: '"bytes" says the size already; leave one of them out',
        related: [[...TARGET, 'bytes']],
      },
    ];
  if (typeof bytes === 'string' && bytesOf(bytes) === undefined)
    return [
      {
        path: [...TARGET, 'bytes'],
        code: 'wrong-value',
        at: 'value',
        message: `expected a size as in '24 kB', got '${bytes}'`,
      },
    ];
  return [];
}

function boundProblems({ bounds }: Readonly<Record<string, unknown>>): SettingProblem[] {
  return Object.entries(isRecord(bounds) ? bounds : {}).flatMap(([name, range]): SettingProblem[] => {
    if (!Array.isArray(range)) return [];
    const [least, greatest] = range as unknown[];
    if (typeof least !== 'number' || typeof greatest !== 'number' || least <= greatest) return [];
    const path = [...TARGET, 'bounds', name];
    return [
      {
        path,
        code: 'combination',
        at: 'value',
        message: `expected the lesser value first, got [${least}, ${greatest}]`,
      },
    ];
  });
}

function compressionProblems(document: unknown): SettingProblem[] {
  const compressions = compressionsAsWritten(document);
  if (compressions.length === 0)
    return [
      {
        path: TARGET,
        code: 'combination',
        at: 'key',
        message:
          'there is no "compression" to reach it by; name methods and layers, for example "compression": { "method": "prune", ' +
          '"distortEvery": 10, "layers": { "*": {} } }',
      },
    ];
  const open = openSettings(document);
  if (open.length === 0) return [];
  const unsized = compressions.flatMap(({ path, method }): SettingProblem[] =>
    method && !isSizePredicted(method)
      ? [
          {
            path: [...path, 'method'],
            code: 'combination',
            at: 'value',
            message: `beside a "target" that leaves settings open: what "${method}" leaves is known only when it has trained`,
            related: [TARGET],
          },
        ]
      : [],
  );
  const shared = compressions.flatMap(({ path, settings, layers }): SettingProblem[] => {
    const places: SettingPath[] = [
      ...(valueAt(settings, ['scope']) === 'model' ? [['scope']] : []),
      ...Object.keys(layers).flatMap((key) =>
        valueAt(layers[key], ['sharedProjection']) === true ? [['layers', key, 'sharedProjection']] : [],
      ),
    ];
    return places
      .filter(() => open.some((setting) => isWithin(setting.path, path)))
      .map((place) => ({
        path: [...path, ...place],
        code: 'combination',
        at: 'value',
        message: 'a "target" gives each layer a value of its own, and this needs the same one in several; leave it out',
        related: [TARGET],
      }));
  });
  const swept: SettingProblem[] =
    valueAt(document, ['sweep']) === undefined
      ? []
      : [
          {
            path: ['sweep'],
            code: 'combination',
            at: 'key',
            message: 'the runs of a sweep need the values that "target" leaves open; leave one of the two out',
            related: [TARGET],
          },
        ];
  return [...unsized, ...shared, ...swept];
}
