/** @file What a model file is: by its content, which a renamed or downloaded file keeps. */
import { hasEnding, kerasEndings, torchSaveEndings } from '../protocol/model/modelEndings.ts';

/** Ends the name of the file that says which of several files has which tensor, as on the Hugging Face Hub. */
export const INDEX_SUFFIX = '.index.json';

/** The endings that each kind of file usually has; a `model.json` is TensorFlow.js's. The first that fits counts. */
export const endingsOfModelFiles = {
  safetensors: ['.safetensors'],
  torch: torchSaveEndings,
  index: [INDEX_SUFFIX],
  onnx: ['.onnx'],
  keras: kerasEndings,
  npz: ['.npz'],
  npy: ['.npy'],
  tfjs: ['.json'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type ModelFileKind = keyof typeof endingsOfModelFiles;

const kinds = Object.keys(endingsOfModelFiles) as ModelFileKind[];

/** Bytes that tell a kind. */
export const MARK_BYTES = 512;

/**
 * By its first bytes; where these tell nothing, as those of a damaged file, by its ending.
 * @param head the first {@link MARK_BYTES} of the file, or all of it
 * @returns undefined for what is no model file
 */
export function modelFileKind(path: string, head: Uint8Array): ModelFileKind | undefined {
  const named = kinds.find((kind) => hasEnding(path, endingsOfModelFiles[kind]));
  return markedKind(head, named) ?? named;
}

/** @param named the kind by the ending, for kinds that begin as another */
function markedKind(head: Uint8Array, named: ModelFileKind | undefined): ModelFileKind | undefined {
  // A header in JSON begins behind 8 bytes with its length.
  if (head.length > 8 && head[8] === 0x7b && head[7] === 0) return 'safetensors';
  const text = new TextDecoder('latin1').decode(head.subarray(0, MARK_BYTES));
  if (/^\x93NUMPY/.test(text)) return 'npy';
  if (/^\x89HDF\r\n\x1a\n/.test(text)) return 'keras';
  if (/^PK(\x03\x04|\x05\x06)/.test(text)) {
    // The first entry of a .keras archive is its metadata or its configuration.
    if (named === 'keras' || /^PK.{28}(metadata|config)\.json/s.test(text)) return 'keras';
    // That of an archive of torch.save is its pickle; before, files began with a pickle of a number of theirs.
    return text.includes('/data.pkl') || (named === 'torch' && !text.includes('.npy')) ? 'torch' : 'npz';
  }
  if (text.startsWith('\x80\x02\x8a\nl\xfc\x9cF')) return 'torch';
  if (/^(\u00ef\u00bb\u00bf)?\s*\{/.test(text))
    return named === 'index' || text.includes('"weight_map"') ? 'index' : 'tfjs';
  // The first field of a model of ONNX is its `ir_version`, a number; programs write fields in their order.
  if (/^\x08[\x01-\x1f](\x12|\x1a|\x22|\x28|\x32|\x3a|\x42|\x72)/.test(text)) return 'onnx';
  return undefined;
}
