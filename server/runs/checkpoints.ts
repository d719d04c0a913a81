/**
 * @file Checkpoints of a run: `checkpoints/step-000001000.safetensors` with the tensors and, written after it,
 * `step-000001000.json` with everything else and the tensor file's size and SHA-256. The second file is there only when
 * the first is complete.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { decodeSafetensors, encodeSafetensors } from '../formats/safetensors.ts';
import type { Safetensor } from '../formats/safetensors.ts';
import { RUN_FORMAT_VERSION } from '../protocol/run/runFormat.ts';
import { formatCount } from '../protocol/formatQuantity.ts';
import { makeFolder, writeAtomically } from './disk.ts';
import type { Run } from './run.ts';
import { openRegularFile, readRegularFile } from './workspaceFile.ts';

export interface Checkpoint {
  /** Steps that were done. */
  step: number;
  tensors: ReadonlyMap<string, Safetensor>;
  /** What the trainer needs besides tensors; JSON. */
  state: unknown;
  /** Length of `events.jsonl` at this checkpoint, in bytes: see {@link EventLog.sync}. */
  eventsOffset: number;
}

const sideSchema = z.object({
  format: z.literal(RUN_FORMAT_VERSION),
  run: z
    .object({ id: z.string(), created: z.string() })
    .optional()
    .describe('The run that wrote it. The time tells two runs apart, also after a run folder was renamed.'),
  step: z.int().min(0),
  eventsOffset: z.int().min(0),
  tensors: z.object({ bytes: z.int(), sha256: z.string() }),
  state: z.unknown(),
});

const SIDE_FILE = /^step-(\d+)\.json$/;
/** Files are read and hashed in pieces: neither takes more than 2 GiB at a time. */
const PIECE_BYTES = 1024 ** 3;

/**
 * Writes a checkpoint, and then removes all but the newest `keep`. The tensors are copied before the first await: they may
 * change while the files are being written. A crash at any moment leaves the earlier checkpoints readable.
 * @returns the path of the tensor file
 * @throws UserError when the disk is full
 */
export async function writeCheckpoint(run: Run, checkpoint: Checkpoint, { keep }: { keep: number }): Promise<string> {
  const { step, eventsOffset, state } = checkpoint;
  const bytes = encodeSafetensors(checkpoint.tensors);
  const side = JSON.stringify({
    format: RUN_FORMAT_VERSION,
    run: { id: run.id, created: run.record.created },
    step,
    eventsOffset,
    tensors: { bytes: bytes.length, sha256: sha256(bytes) },
    state,
  });
  const files = filesOf(run, step);
  await makeFolder(run.checkpointsFolder); // A repository keeps no empty folders: it is gone in a clone.
  await rm(files.side, { force: true }); // A damaged one of an earlier attempt must not vouch for the new tensors.
  await writeAtomically(files.tensors, bytes);
  await writeAtomically(files.side, side);

  const steps = await checkpointSteps(run);
  const kept = new Set(steps.filter((other) => other <= step).slice(0, keep));
  for (const other of steps.filter((other) => !kept.has(other))) await removeCheckpoint(run, other);
  return files.tensors;
}

/**
 * The newest checkpoint of this run that is whole.
 * @returns also a sentence for each newer one that cannot be used; no checkpoint when there is none to resume from
 */
export async function readLatestCheckpoint(run: Run): Promise<{ checkpoint?: Checkpoint; warnings: string[] }> {
  const warnings: string[] = [];
  if (!existsSync(run.checkpointsFolder))
    return { warnings: [`There is no ${run.checkpointsFolder}: the run starts from the beginning.`] };
  const steps = await checkpointSteps(run);
  for (const [i, step] of steps.entries()) {
    const checkpoint = await readCheckpoint(run, step);
    if (typeof checkpoint !== 'string') return { checkpoint, warnings };
    const next = steps[i + 1];
    const fallback =
      next === undefined
        ? 'there is none before it, and the run starts from the beginning'
        : `falling back to step ${formatCount(next)}`;
    warnings.push(`The checkpoint of step ${formatCount(step)} is ${checkpoint}; ${fallback}.`);
  }
  return { warnings };
}

/** The checkpoints that were written to the end, newest first: steps done, and the file with the weights among its tensors. */
export async function listCheckpoints(run: Run): Promise<{ step: number; file: string }[]> {
  return (await checkpointSteps(run)).map((step) => ({ step, file: checkpointFile(run, step) }));
}

/** The file with the tensors of the checkpoint of a step. */
export function checkpointFile(run: Run, step: number): string {
  return filesOf(run, step).tensors;
}

/** The checkpoint, or why it cannot be used, as the end of a sentence. */
async function readCheckpoint(run: Run, step: number): Promise<Checkpoint | string> {
  const files = filesOf(run, step);
  let side: z.output<typeof sideSchema>;
  try {
    side = sideSchema.parse(JSON.parse(await readRegularFile(files.side)));
  } catch {
    return `damaged (${files.side} cannot be read)`;
  }
  if (side.run && side.run.created !== run.record.created) return `one of another run, ${side.run.id}`;
  if (side.step !== step) return `damaged (${files.side} says that it is of step ${formatCount(side.step)})`;
  try {
    const { size } = await stat(files.tensors);
    if (size !== side.tensors.bytes)
      return `damaged (${files.tensors} has ${size} bytes instead of ${side.tensors.bytes})`;
    const bytes = await readBytes(files.tensors, size);
    if (sha256(bytes) !== side.tensors.sha256)
      return `damaged (${files.tensors} does not have the checksum that was recorded)`;
    return { step, tensors: decodeSafetensors(bytes).tensors, state: side.state, eventsOffset: side.eventsOffset };
  } catch {
    return `damaged (${files.tensors} cannot be read)`;
  }
}

/** The first `size` bytes of a file; zeros where it has fewer. */
async function readBytes(path: string, size: number): Promise<Uint8Array> {
  const file = await openRegularFile(path);
  try {
    const bytes = new Uint8Array(size);
    for (let filled = 0, read = 1; read > 0 && filled < size; filled += read) {
      ({ bytesRead: read } = await file.read(bytes, filled, Math.min(PIECE_BYTES, size - filled), filled));
    }
    return bytes;
  } finally {
    await file.close();
  }
}

/** Steps of the checkpoints that were written to the end, newest first. */
async function checkpointSteps(run: Run): Promise<number[]> {
  const names = existsSync(run.checkpointsFolder) ? await readdir(run.checkpointsFolder) : [];
  return names
    .map((name) => SIDE_FILE.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => b - a);
}

/** Removes the file that makes it count first. */
async function removeCheckpoint(run: Run, step: number): Promise<void> {
  const files = filesOf(run, step);
  await rm(files.side, { force: true });
  await rm(files.tensors, { force: true });
}

function filesOf(run: Run, step: number): { tensors: string; side: string } {
  const name = join(run.checkpointsFolder, `step-${String(step).padStart(9, '0')}`);
  return { tensors: `${name}.safetensors`, side: `${name}.json` };
}

function sha256(bytes: Uint8Array): string {
  const hash = createHash('sha256');
  for (let start = 0; start < bytes.length; start += PIECE_BYTES)
    hash.update(bytes.subarray(start, start + PIECE_BYTES));
  return hash.digest('hex');
}
