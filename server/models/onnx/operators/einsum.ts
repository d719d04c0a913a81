/** @file Sums of products by names of axes, as NumPy's `einsum` has them. */
import * as tf from '@tensorflow/tfjs';
import type { NodeCall, Operators } from '../nodeCall.ts';

const ELLIPSIS = '...';

interface Equation {
  /** Axes of each operand. */
  readonly terms: readonly string[];
  readonly result: string;
}

/**
 * An equation with a letter for each axis, and with its result.
 * @param ranks of the operands
 * @throws TypeError for one that does not fit them, and for an axis twice in one of them: a diagonal
 */
function einsumEquation(text: string, ranks: readonly number[]): Equation {
  const [left, right] = text.replace(/\s/g, '').split('->') as [string, string | undefined];
  const given = left.split(',');
  if (given.length !== ranks.length)
    throw new TypeError(`its equation ${text} has ${given.length} terms for ${ranks.length} operands`);
  const free = Array.from({ length: 26 }, (_, i) => String.fromCharCode(65 + i)).filter((name) => !text.includes(name));
  const extents = given.map((term, i) => (term.includes(ELLIPSIS) ? ranks[i] - term.length + ELLIPSIS.length : 0));
  const most = Math.max(...extents);
  // Axes of an ellipsis are counted from the last.
  const ellipsis = (extent: number) => free.slice(most - extent, most).join('');
  const terms = given.map((term, i) => term.replace(ELLIPSIS, ellipsis(Math.max(0, extents[i]))));
  terms.forEach((term, i) => {
    if (!/^[A-Za-z]*$/.test(term) || term.length !== ranks[i])
      throw new TypeError(`the term ${given[i]} of its equation ${text} does not fit an operand of ${ranks[i]} axes`);
    if (new Set(term).size < term.length)
      throw new TypeError(`the term ${given[i]} of its equation ${text} is a diagonal, which is not known here`);
  });
  const all = terms.join('');
  const once = [...new Set(all)].filter((axis) => all.split(axis).length === 2 && !free.includes(axis)).sort();
  const result = right === undefined ? ellipsis(most) + once.join('') : right.replace(ELLIPSIS, ellipsis(most));
  if (new Set(result).size < result.length || [...result].some((axis) => !all.includes(axis)))
    throw new TypeError(`the result of its equation ${text} is not made of its operands`);
  return { terms, result };
}

/** Operands are multiplied one after the other; an axis that none of the others and the result have is summed at once. */
function einsum(call: NodeCall): tf.Tensor {
  call.sameKinds();
  const operands = call.inputs.map((_, i) => call.tensor(i));
  const { terms, result } = einsumEquation(
    call.text('equation', ''),
    operands.map(({ rank }) => rank),
  );
  checkSizes(terms, operands);
  if (operands.length === 1) return product(terms, operands, result);
  let [term, value] = [terms[0], operands[0]];
  for (let i = 1; i < operands.length; i++) {
    const later = terms.slice(i + 1).join('') + result;
    const next =
      i === operands.length - 1
        ? result
        : [...new Set(term + terms[i])].filter((axis) => later.includes(axis)).join('');
    value = product([term, terms[i]], [value, operands[i]], next);
    term = next;
  }
  return value;
}

function product(terms: readonly string[], operands: readonly tf.Tensor[], result: string): tf.Tensor {
  return tf.einsum(`${terms.join(',')}->${result}`, ...operands);
}

function checkSizes(terms: readonly string[], operands: readonly tf.Tensor[]): void {
  const sizes = new Map<string, number>();
  terms.forEach((term, i) =>
    [...term].forEach((axis, at) => {
      const size = operands[i].shape[at];
      const known = sizes.get(axis);
      if (known !== undefined && known !== size)
        throw new TypeError(`the axis ${axis} of its equation is of ${known} and of ${size}`);
      sizes.set(axis, size);
    }),
  );
}

export const einsumOperators: Operators = { Einsum: einsum };
