/** @file `--set path=value`: one setting of an experiment replaced on the command line. */
import { MOST_LEVELS } from './jsonText.ts';
import { formatSettingPath, readSettingPath, type SettingPath } from './settingPath.ts';
import { shownValue } from './shownValue.ts';

export interface Override {
  /** As the user wrote it, `path=value`. */
  text: string;
  path: (string | number)[];
  value: unknown;
}

/** Parses `path=value`; the value is JSON, or else a string as it stands. Undefined for what is neither. */
export function parseOverride(text: string): Override | undefined {
  const { path, end } = readSettingPath(text);
  if (path.length === 0 || text[end] !== '=') return undefined;
  return { text, path, value: parseValue(text.slice(end + 1)) };
}

/** The text that {@link parseOverride} reads as this: a string stands as it is, unless it would be read as something else. */
export function overrideWith(path: SettingPath, value: unknown): Override {
  const json = JSON.stringify(value);
  const text = typeof value === 'string' && parseValue(value) === value ? value : json;
  return { text: `${formatSettingPath(path)}=${text}`, path: [...path], value };
}

/**
 * Sets the value in `document`, making the objects on the way; null removes the setting. Returns what is wrong where something else is in the way.
 */
export function applyOverride(document: Record<string, unknown>, override: Override): string | undefined {
  if (override.path.length + levelsOf(override.value, MOST_LEVELS) > MOST_LEVELS)
    return `nested too deep: at most ${MOST_LEVELS} levels of objects and lists can be read`;
  let object: unknown = document;
  for (const [depth, key] of override.path.entries()) {
    const name = formatSettingPath(override.path.slice(0, depth));
    if (typeof object !== 'object' || object === null)
      return `${name} is ${shownValue(object)}, which has no settings in it`;
    if (Array.isArray(object) && !(Number(key) <= object.length))
      return `${name} is a list of ${object.length}: expected a number from 0 to ${object.length} in brackets`;
    const settings = object as Record<string | number, unknown>;
    if (depth < override.path.length - 1) {
      if (!Object.hasOwn(settings, key)) settings[key] = Object.create(null) as object; // `__proto__` is a key like others.
      object = settings[key];
    } else if (override.value !== null) settings[key] = override.value;
    else if (Array.isArray(object)) object.splice(Number(key), 1);
    else Reflect.deleteProperty(settings, key);
  }
  return undefined;
}

/** Levels of objects and lists of a value that came from JSON, counted up to one more than `most`. */
function levelsOf(value: unknown, most: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (most === 0) return 1;
  return Object.values(value).reduce<number>((deepest, part) => Math.max(deepest, 1 + levelsOf(part, most - 1)), 1);
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
