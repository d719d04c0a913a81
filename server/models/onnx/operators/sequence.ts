/** @file Sequences of tensors, whose lengths are known: what exporters make of a tensor that is taken apart. */
import * as tf from '@tensorflow/tfjs';
import type { NodeCall, Operators } from '../nodeCall.ts';
import { axisOf, tensorOf, type Sequence, type Value } from '../values.ts';
import { dividedAxis, reshaped, splitAxis } from './movement.ts';

/** Parts of an axis: of one place each, of so many places each, or of the sizes that are listed. */
function splitToSequence(call: NodeCall): Sequence {
  const value = call.value(0);
  const axis = axisOf(call.integer('axis', 0), value.shape.length);
  const length = value.shape[axis];
  const split = call.known(1, 'the sizes');
  const sizes =
    split?.shape.length === 1 ? Array.from(split.numbers) : dividedAxis(length, split ? split.numbers[0] : 1);
  const parts = splitAxis(value, axis, sizes);
  const isKept = call.integer('keepdims', 1) !== 0 || split !== undefined;
  return { elements: isKept ? parts : parts.map((part) => reshaped(part, part.shape.toSpliced(axis, 1))) };
}

function sequenceAt(call: NodeCall): Value {
  const { elements } = call.sequence(0);
  return elements[axisOf(call.requiredNumbers(1, 'the position')[0], elements.length)];
}

/** The elements side by side, on an axis that they have or on a new one. */
function concatFromSequence(call: NodeCall): Value {
  const elements = call.sequence(0).elements.map(tensorOf);
  const axis = call.integer('axis', 0);
  if (call.integer('new_axis', 0) !== 0) return tf.stack(elements, axisOf(axis, elements[0].rank + 1));
  return elements.length === 1 ? elements[0] : tf.concat(elements, axisOf(axis, elements[0].rank));
}

export const sequenceOperators: Operators = {
  SplitToSequence: splitToSequence,
  SequenceConstruct: (call) => ({ elements: call.inputs }),
  SequenceAt: sequenceAt,
  ConcatFromSequence: concatFromSequence,
};
