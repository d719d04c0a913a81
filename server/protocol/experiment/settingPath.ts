/**
 * @file Names of settings: `compression.layers.fc1.rate`. A key that has a dot, a bracket or white space in it, such as a
 * layer's name, is written in quotes: `compression.layers["block.1"].rate`.
 */

/** Keys from the root of the experiment file to a setting. */
export type SettingPath = readonly (string | number)[];

export function formatSettingPath(path: SettingPath): string {
  return path
    .map((key, index) => {
      if (typeof key === 'number') return `[${key}]`;
      if (key === '' || /[.[\]{}"=\s]/.test(key)) return `[${JSON.stringify(key)}]`;
      return index === 0 ? key : `.${key}`;
    })
    .join('');
}

/** The inverse of {@link formatSettingPath}; undefined for what is not a path. */
export function parseSettingPath(text: string): (string | number)[] | undefined {
  const { path, end } = readSettingPath(text);
  return path.length > 0 && end === text.length ? path : undefined;
}

/** The path that a text begins with, and where it ends: there is no more than one, since keys with an equals sign are quoted. */
export function readSettingPath(text: string): { path: (string | number)[]; end: number } {
  const path: (string | number)[] = [];
  const segment = /(?:^|(?<!^)\.)([^.[\]"=]+)|\[("(?:[^"\\]|\\.)*")\]|\[(\d+)\]/gy;
  let end = 0;
  for (let match = segment.exec(text); match !== null; match = segment.exec(text)) {
    const [, plain, quoted, index] = match;
    const key = plain ?? (index === undefined ? parseString(quoted) : Number(index));
    if (key === undefined) break;
    path.push(key);
    end = segment.lastIndex;
  }
  return { path, end };
}

function parseString(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}

/** True where `path` lies at or below `ancestor`. */
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
