/** @file The compressions of an experiment: one object, or a list of them that is applied in its order. */
import type { Compression, ExperimentSettings } from './schema.ts';
import { valueAt, type SettingPath } from './settingPath.ts';

/** Something of one compression, and where the experiment has that. */
export interface Placed<T> {
  /** `compression`, or `compression[1]` in a list. */
  readonly path: SettingPath;
  readonly settings: T;
}

const SECTION = 'compression';

/** The compressions as they stand in a file, right or wrong, in their order. @param document the settings before validation */
export function writtenCompressions(document: unknown): Placed<unknown>[] {
  const section = valueAt(document, [SECTION]);
  if (section === undefined) return [];
  return Array.isArray(section)
    ? section.map((settings: unknown, i) => ({ path: [SECTION, i], settings }))
    : [{ path: [SECTION], settings: section }];
}

/** The compressions of valid settings, in their order; none for a plain training run. */
export function placedCompressions(experiment: Pick<ExperimentSettings, 'compression'>): Placed<Compression>[] {
  return writtenCompressions(experiment) as Placed<Compression>[];
}

export function compressionsOf(experiment: Pick<ExperimentSettings, 'compression'>): Compression[] {
  return placedCompressions(experiment).map(({ settings }) => settings);
}

/** The experiment with each of its compressions replaced. */
export function withCompressions<E extends Pick<ExperimentSettings, 'compression'>>(
  experiment: E,
  replace: (compression: Compression, index: number) => Compression,
): E {
  const { compression } = experiment;
  if (compression === undefined) return experiment;
  return {
    ...experiment,
    compression: Array.isArray(compression) ? compression.map(replace) : replace(compression, 0),
  };
}

/** A path that leads into a compression: that of the compression, and the way from there. Undefined for any other path. */
export function withinCompression(path: SettingPath): { compression: SettingPath; inner: SettingPath } | undefined {
  if (path[0] !== SECTION) return undefined;
  const depth = typeof path[1] === 'number' ? 2 : 1;
  return { compression: path.slice(0, depth), inner: path.slice(depth) };
}
