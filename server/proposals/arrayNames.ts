/** @file Which of some arrays are the samples and the targets of each split, by their names. Pure. */
import type { ArraySplit, ArraySplits } from '../protocol/wire/proposals.ts';

const SPLITS: Readonly<Record<string, keyof ArraySplits<unknown>>> = {
  train: 'train',
  training: 'train',
  test: 'test',
  testing: 'test',
  val: 'validation',
  valid: 'validation',
  validation: 'validation',
  dev: 'validation',
};
const PARTS: Readonly<Record<string, keyof ArraySplit<unknown>>> = {
  x: 'inputs',
  input: 'inputs',
  inputs: 'inputs',
  image: 'inputs',
  images: 'inputs',
  feature: 'inputs',
  features: 'inputs',
  samples: 'inputs',
  data: 'inputs',
  y: 'targets',
  target: 'targets',
  targets: 'targets',
  label: 'targets',
  labels: 'targets',
  classes: 'targets',
};

/**
 * The arrays of a data set: `x_train` and `y_train`, `test-images` and `test-labels`, `XTrain`, … Where there is no test split, the
 * validation split is tested on.
 * @param named arrays by their names, without the endings of files
 * @returns undefined where a split that is needed lacks a part, or two arrays may be the same part
 */
export function arraySplits<A>(named: ReadonlyMap<string, A>): ArraySplits<A> | undefined {
  const found: Partial<Record<keyof ArraySplits<A>, Partial<Record<keyof ArraySplit<A>, A>>>> = {};
  for (const [name, array] of named) {
    const words = wordsOf(name);
    const split = words.map((word) => (Object.hasOwn(SPLITS, word) ? SPLITS[word] : undefined)).find(Boolean);
    const part = words.map((word) => (Object.hasOwn(PARTS, word) ? PARTS[word] : undefined)).find(Boolean);
    if (!split || !part) continue;
    const own = (found[split] ??= {});
    if (own[part] !== undefined) return undefined;
    own[part] = array;
  }
  const whole = (split: keyof ArraySplits<A>): ArraySplit<A> | undefined => {
    const { inputs, targets } = found[split] ?? {};
    return inputs === undefined || targets === undefined ? undefined : { inputs, targets };
  };
  const train = whole('train');
  const validation = whole('validation');
  const test = whole('test');
  if (!train) return undefined;
  if (test) return { train, test, ...(validation && { validation }) };
  return validation && { train, test: validation };
}

/** Lower-case words: `XTrain` and `x_train` have the same. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/^([XY])(?=[A-Z][a-z])/, '$1 ')
    .toLowerCase()
    .split(/[^a-z]+/);
}
