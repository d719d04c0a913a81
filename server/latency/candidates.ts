/** @file What is measured: exported files, and the models of a run, which are written for it. */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { findRunOfFile } from '../export/evaluateFile.ts';
import { formats } from '../export/formats.ts';
import { recognizeExport } from '../export/recognizeExport.ts';
import { exportFormats } from '../protocol/model/exportFormats.ts';
import type { Latency } from '../protocol/run/latency.ts';
import { UserError } from '../protocol/userError.ts';
import type { ExportProgress } from '../protocol/wire/progressLine.ts';
import type { Run } from '../runs/run.ts';
import { readCompressedModel } from '../training/finalModel.ts';
import { withFinalModel } from '../training/index.ts';
import { measuredFormats, type MeasuredFormat } from './messages.ts';

export interface Candidate {
  readonly format: MeasuredFormat;
  readonly dense: boolean;
  readonly path: string;
  /** Name of the file; absent for one that was written for the measurement. */
  readonly file?: string;
  readonly bytes: number;
  /** That the model is of, where it is known. */
  readonly run?: Run | undefined;
  /** Shape of each input of a sample, for sizes that the file leaves open. */
  readonly shapes?: number[][];
}

export type LeftOut = Latency['leftOut'][number];

/**
 * @param path of the file
 * @param directory where the run of the file is looked for; also in the folder of the file
 * @throws UserError for a file that is damaged, or of a format that is not measured
 */
export async function fileCandidate(path: string, directory: string): Promise<Candidate> {
  const found = await recognizeExport(path);
  const format = measuredFormats.find((name) => name === found.format);
  if (!format)
    throw new UserError(`${path} cannot be measured: its format is ${exportFormats[found.format].label}.`, {
      remedy: `Export the run again with --format ${measuredFormats.join(' or ')}.`,
    });
  const run = await findRunOfFile(found.origin.run, [directory, dirname(path)]);
  return { format, dense: false, path, file: basename(path), bytes: (await stat(path)).size, run };
}

const RUN_MODELS: readonly Pick<Candidate, 'format' | 'dense'>[] = [
  { format: 'onnx', dense: true },
  { format: 'onnx', dense: false },
  { format: 'packed', dense: false },
];

interface RunCandidates {
  readonly candidates: readonly Candidate[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * Writes the final model of a run as it is measured: as `deeptwist export` writes it, and dense.
 * @param folder where the files are written
 * @throws UserError where the run has no final model, or its modules have changed
 */
export function runCandidates(
  { run, changedFiles }: { run: Run; changedFiles: boolean | undefined },
  folder: string,
  signal: AbortSignal,
  onProgress: (progress: ExportProgress) => void,
): Promise<RunCandidates> {
  return withFinalModel({ run, changedFiles }, 'benchmark', async (prepared) => {
    const compressed = await readCompressedModel(run);
    const origin = { run: run.id, experiment: JSON.stringify(prepared.live.experiment) };
    const shapes = prepared.program.inputs.map(({ shape }) => [...shape]);
    const candidates: Candidate[] = [];
    const leftOut: LeftOut[] = [];
    await mkdir(folder, { recursive: true });
    onProgress({ phase: 'writing' });
    for (const { format, dense } of RUN_MODELS) {
      signal.throwIfAborted();
      try {
        const { content } = await formats[format].write({ prepared, compressed, origin }, { dense });
        if (!(content instanceof Uint8Array)) throw new TypeError(`The format ${format} has several files.`);
        const path = join(folder, (dense ? 'dense' : 'compressed') + exportFormats[format].ending);
        await writeFile(path, content);
        candidates.push({ format, dense, path, bytes: content.length, run, shapes });
      } catch (error) {
        // The other formats may be able to say the model.
        if (!(error instanceof UserError)) throw error;
        leftOut.push({ format, dense, run: run.id, reason: error.message });
      }
    }
    return { candidates, leftOut };
  });
}
