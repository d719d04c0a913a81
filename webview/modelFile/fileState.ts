/** @file What the page knows of a file, what it shows of that, and what it has to ask for. Pure. */
import {
  needsStatistics,
  sortTensors,
  type TensorHistogram,
  type TensorSortKey,
  type TensorStatistics,
} from '../../server/protocol/model/tensor.ts';
import type { ShownFile, ShownTensor, ToModelFilePage, WantedNumbers } from '../../server/protocol/wire/modelFile.ts';

/** A file of that size is read as a whole; of a larger one, what is seen. */
const READ_WHOLE_BYTES = 256 * 2 ** 20;

export interface Problem {
  readonly message: string;
  readonly remedy?: string | undefined;
}

/** A tensor, and what was found in it so far. */
export interface KnownTensor {
  /** Its place in the file. */
  readonly index: number;
  readonly tensor: ShownTensor;
  readonly statistics?: TensorStatistics;
  readonly histogram?: TensorHistogram;
  readonly singularValues?: Float64Array;
  readonly problem?: Problem;
  readonly spectrumProblem?: string | undefined;
}

/** Undefined key: the order of the file. */
export interface TensorOrder {
  readonly key?: TensorSortKey;
  readonly descending: boolean;
}

export class FileState {
  file: ShownFile | undefined;
  problem: Problem | undefined;
  /** In the order of the file. */
  tensors: readonly KnownTensor[] = [];

  apply(message: ToModelFilePage): void {
    switch (message.type) {
      case 'file':
        this.file = message.file;
        this.problem = undefined;
        this.tensors = message.file.tensors.map((tensor, index) => ({
          index,
          tensor,
          ...(tensor.problem !== undefined && { problem: { message: tensor.problem } }),
        }));
        return;
      case 'problem':
        this.file = undefined;
        this.tensors = [];
        this.problem = message;
        return;
      case 'statistics':
        return this.#learn(message.tensor, { statistics: message.statistics });
      case 'histogram':
        return this.#learn(message.tensor, { histogram: message.histogram });
      case 'spectrum':
        return this.#learn(message.tensor, { singularValues: message.singularValues });
      case 'tensorProblem':
        return this.#learn(message.tensor, { problem: message });
      case 'spectrumProblem':
        return this.#learn(message.tensor, { spectrumProblem: message.message });
    }
  }

  /** Before a spectrum that could not be computed is computed again. */
  forgetSpectrumProblem(index: number): void {
    this.#learn(index, { spectrumProblem: undefined });
  }

  /** The tensors whose names contain a text, in order. */
  found(query: string, { key, descending }: TensorOrder): readonly KnownTensor[] {
    const searched = query.toLowerCase();
    const found = this.tensors.filter(({ tensor }) => tensor.name.toLowerCase().includes(searched));
    return key === undefined ? found : sortTensors(found, key, descending);
  }

  /**
   * What is to be asked for.
   * @param visible tensors whose rows are seen
   * @param selected the tensor whose histogram is shown
   */
  wanted(visible: readonly number[], selected: number | undefined, { key }: TensorOrder): WantedNumbers {
    const isSmall = this.tensors.reduce((sum, { tensor }) => sum + tensor.bytes, 0) <= READ_WHOLE_BYTES;
    const readsAll = isSmall || (key !== undefined && needsStatistics(key));
    const order = readsAll ? [...new Set([...visible, ...this.tensors.keys()])] : visible;
    const shown = selected === undefined ? undefined : this.tensors[selected];
    return {
      statistics: order.filter((index) => {
        const known = this.tensors.at(index);
        return known && !known.statistics && !known.problem;
      }),
      ...(shown && !shown.histogram && !shown.problem && { histogram: selected }),
    };
  }

  #learn(index: number, found: Partial<KnownTensor>): void {
    if (index in this.tensors) this.tensors = this.tensors.with(index, { ...this.tensors[index], ...found });
  }
}
