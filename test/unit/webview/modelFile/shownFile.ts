/** @file A file as the page of model files gets it. */
import type { ShownFile } from '../../../../server/protocol/wire/modelFile.ts';

/** @param bytes of its largest tensor */
export function shownFile(bytes = 4000): ShownFile {
  return {
    name: 'x.safetensors',
    format: 'packed safetensors',
    bytes: bytes + 500,
    tensors: [
      { name: 'conv.weight', shape: [2, 3], dtype: 'float16', elements: 6, bytes: 12, matrix: { rows: 2, columns: 3 } },
      { name: 'fc1/bias', shape: [3], dtype: 'float32', elements: 3, bytes: 12 },
      {
        ...{ name: 'fc1/kernel', shape: [784, 300], dtype: 'float32', elements: 235_200, bytes, form: 'sparse' },
        matrix: { rows: 300, columns: 784 },
      },
      { name: 'names', shape: [2], dtype: 'string', elements: 2, bytes: 9, problem: 'names cannot be read: string.' },
    ],
    metadata: [
      ['format', 'pt'],
      ['<b>note</b>', '<img src=x>'],
    ],
  };
}
