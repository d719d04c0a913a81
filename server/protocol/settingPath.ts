/**
 * @file Names of settings: `compression.layers.fc1.rate`. A key that has a dot or a bracket in it, such as a layer's
 * name, is written in quotes: `compression.layers["block.1"].rate`.
 */

/** Keys from the root of the experiment file to a setting. */
export type SettingPath = readonly (string | number)[];

export function formatSettingPath(path: SettingPath): string {
  return path
    .map((key, index) => {
      if (typeof key === 'number') return `[${key}]`;
      if (key === '' || /[.[\]"=]/.test(key)) return `[${JSON.stringify(key)}]`;
      return index === 0 ? key : `.${key}`;
    })
    .join('');
}

/** The inverse of {@link formatSettingPath}; undefined for what is not a path. */
export function parseSettingPath(text: string): string[] | undefined {
  const path: string[] = [];
  const segment = /(?:^|(?<!^)\.)([^.[\]"=]+)|\[("(?:[^"\\]|\\.)*")\]|\[(\d+)\]/gy;
  while (segment.lastIndex < text.length) {
    const match = segment.exec(text);
    if (match === null) return undefined;
    const [, plain, quoted, index] = match;
    const key = plain ?? index ?? parseString(quoted);
    if (key === undefined) return undefined;
    path.push(key);
  }
  return path.length === 0 ? undefined : path;
}

function parseString(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}

/** Whether `path` lies at or below `ancestor`. */
export function isWithin(path: SettingPath, ancestor: SettingPath): boolean {
  return ancestor.length <= path.length && ancestor.every((key, i) => String(key) === String(path[i]));
}

/** The value of a setting in the settings of a file, right or wrong; undefined where there is none. */
export function valueAt(settings: unknown, path: SettingPath): unknown {
  return path.reduce(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string | number, unknown>)[key]
        : undefined,
    settings,
  );
}
