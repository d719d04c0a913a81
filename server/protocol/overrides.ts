/** @file `--set path=value`: one setting of an experiment replaced on the command line. */
import { formatSettingPath, parseSettingPath } from './settingPath.ts';

export interface Override {
  /** As the user wrote it, `path=value`. */
  text: string;
  path: string[];
  value: unknown;
}

/** Parses `path=value`; the value is JSON, or else a string as it stands. Undefined for what is neither. */
export function parseOverride(text: string): Override | undefined {
  // A quoted key may have an equals sign in it: the first one with a whole path before it counts.
  for (let equals = text.indexOf('='); equals !== -1; equals = text.indexOf('=', equals + 1)) {
    const path = parseSettingPath(text.slice(0, equals));
    if (path) return { text, path, value: parseValue(text.slice(equals + 1)) };
  }
  return undefined;
}

/**
 * Sets the value in `document`, making the objects on the way; null removes the setting. Returns what is wrong where something else is in the way.
 */
export function applyOverride(document: Record<string, unknown>, override: Override): string | undefined {
  let object = document;
  for (const [depth, key] of override.path.slice(0, -1).entries()) {
    if (!Object.hasOwn(object, key)) object[key] = {};
    const inner = object[key];
    if (typeof inner !== 'object' || inner === null)
      return `${formatSettingPath(override.path.slice(0, depth + 1))} is ${JSON.stringify(inner)}, which has no settings in it`;
    object = inner as Record<string, unknown>;
  }
  const key = override.path[override.path.length - 1];
  if (override.value === null) Reflect.deleteProperty(object, key);
  else object[key] = override.value;
  return undefined;
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
