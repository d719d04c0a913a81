/** @file What the readers of all formats share. */
import type { Tensor } from '../../protocol/model/tensor.ts';
import { UserError } from '../../protocol/userError.ts';
import type { ModelFile, StoredTensor } from '../tensor.ts';

/** Tensors of a file at most: each takes some memory, here and in the editor. */
export const MOST_TENSORS = 100_000;

/** What a reader finds in a file. */
export type ReadModel = Pick<ModelFile, 'format' | 'tensors' | 'metadata'> & {
  /** Lets go what the reader holds, before the file is closed. */
  close?(): void;
};

/** A tensor whose numbers cannot be read. @param reason a clause, as of a FormatError */
export function unreadable(tensor: Tensor, reason: string, remedy?: string): StoredTensor {
  const problem = `${tensor.name} cannot be read: ${reason.replace(/\.$/, '')}.`;
  return {
    ...tensor,
    problem,
    numbers() {
      throw new UserError(problem, { remedy });
    },
  };
}

/** A function that gives the name, or for one that was there before a name with a number, `weight (2)`. */
export function uniqueNames(): (name: string) => string {
  const seen = new Set<string>();
  const counts = new Map<string, number>();
  return (name) => {
    let unique = name;
    for (let count = counts.get(name) ?? 1; seen.has(unique); counts.set(name, count)) unique = `${name} (${++count})`;
    seen.add(unique);
    return unique;
  };
}
