/** @file What an experiment asks for a weight in the end. Pure. */
import type { Compression } from '../../../server/protocol/config.ts';
import type { CompressionSetting } from '../../../server/protocol/events.ts';

/** A key of `compression.layers`: a weight's name, its layer's, or a glob of either; the closest one counts. */
export function parametersFor(
  layers: Readonly<Record<string, unknown>>,
  weight: { readonly name: string; readonly layer: string },
): unknown {
  const key =
    [weight.name, weight.layer].find((name) => Object.hasOwn(layers, name)) ??
    Object.keys(layers).find((pattern) => {
      const glob = globExpression(pattern);
      return glob.test(weight.layer) || glob.test(weight.name);
    });
  return key === undefined ? undefined : layers[key];
}

/** The rate, the bits or the rank that a compressed weight ends with. */
export function targetSetting(
  compression: Compression,
  weight: { readonly name: string; readonly layer: string },
): CompressionSetting {
  const parameters = parametersFor(compression.layers, weight) as Record<string, unknown> | undefined;
  const numbers = (['rate', 'bits', 'rank'] as const).map((name) => [name, parameters?.[name]] as const);
  return Object.fromEntries(numbers.filter(([, value]) => typeof value === 'number'));
}

/** `*`, `**`, `?`, `[ab]` and `{a,b}`, as the trainer's matcher reads them; which keys match at all it has checked. */
function globExpression(pattern: string): RegExp {
  const special: Readonly<Record<string, string>> = {
    '**': '.*',
    '*': '[^/]*',
    '?': '[^/]',
    '[!': '[^',
    '[': '[',
    ']': ']',
    '{': '(?:',
    ',': '|',
    '}': ')',
  };
  let groups = 0;
  const source = pattern.replace(/\*\*|\[!|[\^$\\.*+?()[\]{}|,]/g, (token) => {
    if (token === '{') groups++;
    if (token === ',' && groups === 0) return ',';
    if (token === '}' && groups-- <= 0) return '\\}';
    return special[token] ?? `\\${token}`;
  });
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return /(?!)/; // A pattern that is no expression, such as an open bracket, matches nothing.
  }
}
