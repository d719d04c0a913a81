/** @file The table `start.rename` of an experiment: names of tensors in a file, and what they are called in the model. */
import { didYouMean } from '../../protocol/experiment/didYouMean.ts';
import type { Renaming } from '../../protocol/experiment/schema.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { RENAMING } from '../../protocol/experiment/startProblems.ts';
import type { FileTensor } from './fileTensors.ts';

/** A tensor under the name that it is looked up by. */
export interface NamedTensor extends FileTensor {
  readonly wanted: string;
  /** Key of the table that gave it this name; undefined for a tensor that keeps its own. */
  readonly key?: string;
}

/**
 * A key is a name or has stars, each of which stands for any text, that of the new name's star in the same place; the first key that a
 * name fits counts. Tensors whose new name is null are left out.
 * @throws SettingError for a key that no tensor fits, and for two tensors that get one name
 */
export function renameTensors(tensors: readonly FileTensor[], renaming: Renaming): NamedTensor[] {
  const rules = Object.entries(renaming).map(([key, name]) => ({ key, name, pattern: patternOf(key), isUsed: false }));
  const renamed = tensors.flatMap((tensor): NamedTensor[] => {
    for (const rule of rules) {
      const found = rule.pattern.exec(tensor.name);
      if (!found) continue;
      rule.isUsed = true;
      return rule.name === null ? [] : [{ ...tensor, wanted: filled(rule.name, found.slice(1)), key: rule.key }];
    }
    return [{ ...tensor, wanted: tensor.name }];
  });
  const unused = rules.find(({ isUsed }) => !isUsed);
  if (unused) {
    const meant = didYouMean(
      unused.key,
      tensors.map(({ name }) => name),
    );
    throw new SettingError(
      [...RENAMING, unused.key],
      'the file has no tensor of this name that an earlier key does not take',
      {
        at: 'key',
        remedy: meant === undefined ? '`deeptwist inspect FILE` lists its tensors.' : `Did you mean '${meant}'?`,
      },
    );
  }
  const seen = new Map<string, string>();
  for (const { name, wanted } of renamed) {
    const other = seen.get(wanted);
    if (other !== undefined)
      throw new SettingError(RENAMING, `the tensors ${other} and ${name} would both be ${wanted}`, {
        remedy:
          'Give each a name of its own. Both biases of an LSTM are taken together: end them in bias_ih_l0 and bias_hh_l0.',
      });
    seen.set(wanted, name);
  }
  return renamed;
}

function patternOf(key: string): RegExp {
  return new RegExp(
    `^${key
      .split('*')
      .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
      .join('(.*)')}$`,
    's',
  );
}

function filled(name: string, texts: readonly string[]): string {
  let next = 0;
  return name.replace(/\*/g, () => texts[next++] ?? '');
}
