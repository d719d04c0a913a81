/** @file The size of a run's compressed model: that of its file, or what a file would take. */
import type { Summary } from './events.ts';

export interface CompressedSize {
  readonly bytes: number;
  /** How many times smaller than the dense weights; 0 for a model of which nothing is left. */
  readonly ratio: number;
  /** False where there is no file: it would take that. */
  readonly isFile: boolean;
}

export function compressedSize({
  bytes,
  bytesKept,
  byteRatio,
  fileBytes,
}: Pick<Summary, 'bytes' | 'bytesKept' | 'byteRatio' | 'fileBytes'>): CompressedSize {
  return fileBytes === undefined
    ? { bytes: bytesKept, ratio: byteRatio, isFile: false }
    : { bytes: fileBytes, ratio: bytes / fileBytes, isFile: true };
}

/** The ratio that `run.json` has of a finished run. */
export function recordedRatio({ byteRatio, fileRatio }: RecordedRatio): Pick<CompressedSize, 'ratio' | 'isFile'> {
  return { ratio: fileRatio ?? byteRatio, isFile: fileRatio !== undefined };
}

export interface RecordedRatio {
  readonly byteRatio: number;
  readonly fileRatio?: number | undefined;
}
