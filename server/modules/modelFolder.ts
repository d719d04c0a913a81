/** @file The files of a folder that are a model: a `model.json` of TensorFlow.js, or weights with a `config.json` as on the Hugging Face Hub. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { mainFiles, WEIGHTS_FILE } from '../protocol/model/exportFormats.ts';
import { UserError } from '../protocol/userError.ts';

export interface ModelFolder {
  readonly format: keyof typeof mainFiles;
  /** Absolute path of the file with the weights, or of the one that names the files with them. */
  readonly file: string;
}

/**
 * @param folder absolute
 * @throws UserError for a folder without a model
 */
export function modelFolder(folder: string): ModelFolder {
  const [topology, config, weights] = [mainFiles.tfjs, mainFiles.huggingface, WEIGHTS_FILE].map((name) =>
    join(folder, name),
  );
  if (existsSync(topology)) return { format: 'tfjs', file: topology };
  if (existsSync(config) && existsSync(weights)) return { format: 'huggingface', file: weights };
  throw new UserError(`${folder} is no folder of a model.`, {
    remedy: `Name a file, or a folder with ${mainFiles.tfjs}, or with ${mainFiles.huggingface} and ${WEIGHTS_FILE}.`,
  });
}
