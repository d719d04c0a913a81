/** @file How a TensorFlow.js kernel becomes IR operations. */
import type { Node } from '../ir.ts';

/** Inputs of a kernel by name; a kernel that takes a list of tensors has them under '0', '1', …. */
export type KernelInputs = Readonly<Record<string, Node>>;

/**
 * Builds what the kernel computes.
 * @throws TypeError when these attributes or operands have no IR form
 */
export type KernelImport<Attributes = never> = (inputs: KernelInputs, attributes: Attributes) => Node | Node[];

/** Kernel imports by kernel name, as TensorFlow.js's kernel_names.ts has them. */
export type KernelImports = Readonly<Record<string, KernelImport>>;

/** A kernel, or a use of it, that the compiler cannot express; the model is then run by the eager executor. */
export class UnsupportedKernel extends Error {
  override readonly name = 'UnsupportedKernel';
  readonly kernel: string;
  /** Name of the layer of the model, when it is known. */
  readonly layer: string | undefined;

  constructor(kernel: string, reason: string, layer?: string) {
    super(reason);
    this.kernel = kernel;
    this.layer = layer;
  }
}

/** The tensors of a kernel that takes a list. */
export const listed = (inputs: KernelInputs): Node[] => Object.values(inputs);

/** Gives a kernel's attributes their type: the one place where the registry's untyped attributes become typed. */
export function kernel<Attributes>(build: KernelImport<Attributes>): KernelImport {
  return build as unknown as KernelImport;
}
