/**
 * @file Tensors that outlive the recording that made them, because a layer or a loss keeps them from its first call on: a mask, a table of
 * positions. What depends on constants alone is the same at every step, so that other recordings may use it, and its values can be read.
 */
import * as tf from '@tensorflow/tfjs';
import { elementCount } from '../../protocol/shape.ts';
import { UserError } from '../../protocol/userError.ts';
import type { Node, NodeOf } from '../ir.ts';

export type HostValues = tf.backend_util.BackendValues;

/** A tensor in JavaScript's memory. */
interface HostTensor {
  readonly values: HostValues;
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
}

/** The kernel of TensorFlow.js that made a node. */
interface KernelCall {
  readonly name: string;
  readonly inputs: Readonly<Record<string, Node>>;
  readonly attributes: unknown;
  /** The place of the node among the kernel's results. */
  readonly result: number;
}

/** The part of TensorFlow.js's plain backend that makes tensors outside of its engine. */
interface CpuBackend {
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: HostValues): tf.TensorInfo;
}

/** The node of every recorded tensor that is still in use. */
const recorded = new WeakMap<tf.DataId, Node>();

/** The kernels whose results depend on constants alone. */
const calls = new WeakMap<Node, KernelCall>();

/** True for a node that depends on constants alone. */
export const isConstant = (node: Node): boolean => node.op === 'Constant' || calls.has(node);

/** Remembers the node of a tensor beyond its recording. */
export function rememberTensor(dataId: tf.DataId, node: Node): void {
  recorded.set(dataId, node);
}

/** Remembers how nodes were made, where they depend on constants alone. */
export function rememberCall(made: readonly Node[], call: Omit<KernelCall, 'result'>): void {
  if (!Object.values(call.inputs).every(isConstant)) return;
  // A copy is the same node.
  made.forEach((node, result) => isConstant(node) || calls.set(node, { ...call, result }));
}

/** The node of a tensor of any recording that is not disposed of, if it depends on constants alone. */
export function keptConstant(dataId: tf.DataId): Node | undefined {
  const node = tf.engine().state.tensorInfo.has(dataId) ? recorded.get(dataId) : undefined;
  return node && isConstant(node) ? node : undefined;
}

/**
 * The values of a tensor of an earlier recording.
 * @throws UserError where they depend on what a recording has no values for
 */
export function keptValues(dataId: tf.DataId): HostValues {
  const node = recorded.get(dataId);
  if (node && isConstant(node)) return valuesOf(node);
  const who = node?.layer === undefined ? 'The model or its loss' : `The layer '${node.layer}'`;
  throw new UserError(
    `${who} keeps a tensor that was made of samples, weights or random numbers while a step was recorded, so that it has no values.`,
    {
      remedy: 'Set training.executor to "eager", which is slower, or do not keep the tensor from one step to the next.',
    },
  );
}

/**
 * All elements of a node that {@link isConstant}.
 * @param known elements of nodes that were computed before
 */
export function valuesOf(node: Node, known = new Map<Node, HostValues>()): HostValues {
  if (node.op === 'Constant') return elementsOf(node);
  const before = known.get(node);
  if (before !== undefined) return before;
  const call = calls.get(node)!;
  const { values } = computeOnHost(call, known)[call.result];
  known.set(node, values);
  return values;
}

function elementsOf({ params: { values }, type: { shape } }: NodeOf<'Constant'>): HostValues {
  const count = elementCount(shape);
  return values.length === count ? values : new (values.constructor as Float32ArrayConstructor)(count).fill(values[0]);
}

/**
 * The results of a kernel of constants, computed by TensorFlow.js's plain backend.
 * @param known elements of nodes that were computed before
 */
export function computeOnHost(
  { name, inputs, attributes }: Omit<KernelCall, 'result'>,
  known = new Map<Node, HostValues>(),
): HostTensor[] {
  const cpu = tf.findBackend('cpu') as tf.KernelBackend & CpuBackend;
  const given = Object.fromEntries(
    Object.entries(inputs).map(([key, node]) => {
      const { shape, dtype } = node.type;
      return [key, cpu.makeTensorInfo([...shape], dtype, valuesOf(node, known))];
    }),
  );
  const { kernelFunc } = tf.getKernel(name, 'cpu');
  const results = [kernelFunc({ inputs: given, attrs: attributes as tf.NamedAttrMap, backend: cpu })].flat();
  const read = results.map(({ dataId, shape, dtype }) => ({ values: cpu.readSync(dataId), shape, dtype }));
  for (const { dataId } of [...results, ...Object.values(given)]) cpu.disposeData(dataId, true);
  return read;
}
