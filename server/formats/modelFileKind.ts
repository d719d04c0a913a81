/** @file What a model file is: by its content, which a renamed or downloaded file keeps. */
import { extname } from 'node:path';

export type ModelFileKind = 'safetensors' | 'onnx' | 'npz' | 'npy' | 'tfjs';

/** The ending that each kind of file usually has; a `model.json` is TensorFlow.js's. */
export const endingsOfModelFiles = {
  safetensors: '.safetensors',
  onnx: '.onnx',
  npz: '.npz',
  npy: '.npy',
  tfjs: '.json',
} as const satisfies Record<ModelFileKind, string>;

/** Bytes that tell a kind. */
export const MARK_BYTES = 512;

/**
 * By its first bytes; where these tell nothing, as those of a damaged file, by its ending.
 * @param head the first {@link MARK_BYTES} of the file, or all of it
 * @returns undefined for what is no model file
 */
export function modelFileKind(path: string, head: Uint8Array): ModelFileKind | undefined {
  return markedKind(head) ?? kinds.find((kind) => endingsOfModelFiles[kind] === extname(path).toLowerCase());
}

const kinds = ['safetensors', 'onnx', 'npz', 'npy', 'tfjs'] as const satisfies readonly ModelFileKind[];

function markedKind(head: Uint8Array): ModelFileKind | undefined {
  // A header in JSON begins behind 8 bytes with its length.
  if (head.length > 8 && head[8] === 0x7b && head[7] === 0) return 'safetensors';
  const text = new TextDecoder('latin1').decode(head.subarray(0, MARK_BYTES));
  if (/^\x93NUMPY/.test(text)) return 'npy';
  if (/^PK(\x03\x04|\x05\x06)/.test(text)) return 'npz';
  if (/^(\u00ef\u00bb\u00bf)?\s*\{/.test(text)) return 'tfjs';
  // The first field of a model of ONNX is its `ir_version`, a number; programs write fields in their order.
  if (/^\x08[\x01-\x1f](\x12|\x1a|\x22|\x28|\x32|\x3a|\x42|\x72)/.test(text)) return 'onnx';
  return undefined;
}
