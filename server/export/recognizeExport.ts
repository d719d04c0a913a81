/** @file What format an exported file or folder is in, and what it says of where it comes from: by its content, not by its name. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FormatError } from '../formats/formatError.ts';
import { readOnnxMetadata } from '../formats/onnxMetadata.ts';
import { isPacked } from '../formats/packed/packedFile.ts';
import { decodeSafetensors } from '../formats/safetensors.ts';
import { checkUserFile, readUserFile } from '../modules/readUserFile.ts';
import { mainFiles, type ExportFormatName } from '../protocol/model/exportFormats.ts';
import { isRecord } from '../protocol/record.ts';
import { UserError } from '../protocol/userError.ts';
import type { Origin } from './format.ts';
import { WEIGHTS_FILE } from './huggingface/huggingfaceFormat.ts';
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
  const modelFile = join(path, mainFiles.tfjs);
  if (existsSync(modelFile)) return readTfjs(modelFile);
  const [config, weights] = [mainFiles.huggingface, WEIGHTS_FILE].map((name) => join(path, name));
  if (existsSync(config) && existsSync(weights)) {
    const { origin } = await readUserFile(weights, ofSafetensors, EXPORT_AGAIN);
    return { format: 'huggingface', origin, files: [config, weights] };
  }
  throw new UserError(`${path} is no folder of an exported model.`, {
    remedy: `Name a file, or a folder with ${mainFiles.tfjs}, or with ${mainFiles.huggingface} and ${WEIGHTS_FILE}.`,
  });
}

async function recognizeFile(path: string): Promise<RecognizedExport> {
  await checkUserFile(path, EXPORT_AGAIN);
  if (basename(path).endsWith('.json')) return readTfjs(path);
  const found = await readUserFile(
    path,
    (bytes) => (isSafetensors(bytes) ? ofSafetensors(bytes) : ofOnnx(bytes)),
    EXPORT_AGAIN,
  );
  return { ...found, files: [path] };
}

/** True where a header in JSON begins behind 8 bytes with its length: no ONNX file begins so. */
function isSafetensors(bytes: Uint8Array): boolean {
  return bytes.length > 8 && bytes[8] === 0x7b && bytes[7] === 0;
}

function ofSafetensors(bytes: Uint8Array): Omit<RecognizedExport, 'files'> {
  const { metadata } = decodeSafetensors(bytes);
  return { format: isPacked(metadata) ? 'packed' : 'safetensors', origin: originOf(metadata) };
}

function ofOnnx(bytes: Uint8Array): Omit<RecognizedExport, 'files'> {
  const metadata = readOnnxMetadata(bytes);
  const own = Object.entries(metadata).map(([key, value]) => [key.replace(/^deeptwist\./, ''), value]);
  return { format: 'onnx', origin: originOf(Object.fromEntries(own)) };
}

async function readTfjs(path: string): Promise<RecognizedExport> {
  const { userDefinedMetadata, weightsManifest } = await readUserFile(path, parseObject, EXPORT_AGAIN);
  const own = isRecord(userDefinedMetadata) ? userDefinedMetadata[METADATA_KEY] : undefined;
  const shards = Array.isArray(weightsManifest)
    ? weightsManifest.filter(isRecord).flatMap(({ paths }) => (Array.isArray(paths) ? paths.map(String) : []))
    : [];
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
