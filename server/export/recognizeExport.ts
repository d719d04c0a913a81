/** @file What format an exported file or folder is in, and what it says of where it comes from: by its content, not by its name. */
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FormatError } from '../formats/formatError.ts';
import { modelFileKind } from '../formats/modelFileKind.ts';
import { readOnnxMetadata } from '../formats/onnxMetadata.ts';
import { isPacked } from '../formats/packed/packedFile.ts';
import { decodeSafetensors } from '../formats/safetensors.ts';
import { modelFolder } from '../modules/modelFolder.ts';
import { checkUserFile, readUserFile } from '../modules/readUserFile.ts';
import { mainFiles, type ExportFormatName } from '../protocol/model/exportFormats.ts';
import { isRecord } from '../protocol/record.ts';
import type { Origin } from './format.ts';
import { EXPORT_AGAIN } from '../models/storedModel.ts';
import { METADATA_KEY } from './tfjs/tfjsFormat.ts';

export interface RecognizedExport {
  readonly format: ExportFormatName;
  /** Empty for a file of another program. */
  readonly origin: Partial<Pick<Origin, 'run' | 'step'>>;
  /** Paths of the files with the model. */
  readonly files: readonly string[];
}

/**
 * @param path absolute
 * @throws UserError for what is no exported file or folder, or is damaged
 */
export async function recognizeExport(path: string): Promise<RecognizedExport> {
  if (!(await stat(path).catch(() => undefined))?.isDirectory()) return recognizeFile(path);
  const { format, file } = modelFolder(path);
  if (format === 'tfjs') return recognizeFile(file);
  const { origin } = await readUserFile(file, ofSafetensors, EXPORT_AGAIN);
  return { format, origin, files: [join(path, mainFiles.huggingface), file] };
}

async function recognizeFile(path: string): Promise<RecognizedExport> {
  await checkUserFile(path, EXPORT_AGAIN);
  return readUserFile(path, (bytes) => recognize(path, bytes), EXPORT_AGAIN);
}

function recognize(path: string, bytes: Uint8Array): RecognizedExport {
  const kind = modelFileKind(path, bytes);
  switch (kind) {
    case 'safetensors':
      return { ...ofSafetensors(bytes), files: [path] };
    case 'onnx':
      return { ...ofOnnx(bytes), files: [path] };
    case 'tfjs':
      return ofTfjs(path, bytes);
    default:
      throw new FormatError('it is no model of ONNX, safetensors or TensorFlow.js', {
        remedy: 'Name a file that `deeptwist export` has written, or another of these formats.',
      });
  }
}

type FoundInFile = Omit<RecognizedExport, 'files'>;

function ofSafetensors(bytes: Uint8Array): FoundInFile {
  const { metadata } = decodeSafetensors(bytes);
  return { format: isPacked(metadata) ? 'packed' : 'safetensors', origin: originOf(metadata) };
}

function ofOnnx(bytes: Uint8Array): FoundInFile {
  const metadata = readOnnxMetadata(bytes);
  const own = Object.entries(metadata).map(([key, value]) => [key.replace(/^deeptwist\./, ''), value]);
  return { format: 'onnx', origin: originOf(Object.fromEntries(own)) };
}

function ofTfjs(path: string, bytes: Uint8Array): RecognizedExport {
  const { userDefinedMetadata, weightsManifest } = parseObject(bytes);
  const own = isRecord(userDefinedMetadata) ? userDefinedMetadata[METADATA_KEY] : undefined;
  if (!Array.isArray(weightsManifest))
    throw new FormatError("it is no model of TensorFlow.js: it has no 'weightsManifest'");
  const shards = weightsManifest
    .filter(isRecord)
    .flatMap(({ paths }) => (Array.isArray(paths) ? paths.map(String) : []));
  return {
    format: 'tfjs',
    origin: isRecord(own) ? originOf(own) : {},
    files: [path, ...shards.map((name) => join(dirname(path), name))],
  };
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (isRecord(parsed)) return parsed;
  } catch {
    // Nor is it an object.
  }
  throw new FormatError('it is no JSON object');
}

function originOf({ run, step }: Readonly<Record<string, unknown>>): RecognizedExport['origin'] {
  return {
    ...(typeof run === 'string' && { run }),
    ...(typeof step === 'string' && /^\d{1,15}$/.test(step) && { step: Number(step) }),
  };
}
