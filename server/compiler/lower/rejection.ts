/** @file What ONNX Runtime has no kernel for, told in terms of the model: nodes are named by the operation and the layer they came from. */
import { UnsupportedKernel } from '../import/kernel.ts';
import type { Node } from '../ir.ts';
import { messageOf } from '../../protocol/thrown.ts';

/** A name that no other node of the ONNX graph has. */
export function nodeName(index: number, { op, layer }: Node): string {
  return `${index}|${op}|${layer ?? ''}|`;
}

const NAMED = /\d+\|(\w+)\|(.*?)\|/s;

/** The layer of the node that an error of ONNX Runtime names; undefined where it names none, or one of no layer. */
export function layerNamedIn(message: string): string | undefined {
  return NAMED.exec(message)?.[2] || undefined;
}

/** What the error of a session that could not be made says of the graph; undefined when it names no node. */
export function rejectedOperation(error: unknown): UnsupportedKernel | undefined {
  const message = messageOf(error);
  const named = NAMED.exec(message);
  if (named === null) return undefined;
  const [, op, layer] = named;
  const type = /tensor\((\w+)\)/.exec(message)?.[1];
  const of = type === undefined ? 'these types' : `the type ${type}`;
  return new UnsupportedKernel(op, `ONNX Runtime does not have it for ${of}`, layer === '' ? undefined : layer);
}
