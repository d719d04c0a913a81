/**
 * @file Checkpoints of a run: `checkpoints/step-000001000.safetensors` with the tensors and, written after it,
 * `step-000001000.json` with everything else and the tensor file's size and SHA-256. The second file is there only when
 * the first is complete.
 */
import { createHash, type Hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { openSafetensors, safetensorPieces, type Safetensor } from '../formats/safetensors.ts';
import { sourceOfFile } from '../modules/userFile.ts';
import { RUN_FORMAT_VERSION } from '../protocol/run/runFormat.ts';
import { formatCount } from '../protocol/formatQuantity.ts';
import { makeFolder, writeAtomically } from './disk.ts';
import type { Run } from './run.ts';
import { hashRegularFile, readRegularFile } from './workspaceFile.ts';

export interface Checkpoint {
  /** Steps that were done. */
  step: number;
  /** Those of a checkpoint that was read are in the file: each look at the data reads them. */
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

const DAMAGED_MEANWHILE = 'Resume again: the run goes on from the newest checkpoint that is whole.';

const SIDE_FILE = /^step-(\d+)\.json$/;

/**
 * Writes a checkpoint, and then removes all but the newest `keep`. The tensors are not copied: they must not change before the file is
 * written. A crash at any moment leaves the earlier checkpoints readable.
 * @returns the path of the tensor file
 * @throws UserError when the disk is full
 */
export async function writeCheckpoint(run: Run, checkpoint: Checkpoint, { keep }: { keep: number }): Promise<string> {
  const { step, eventsOffset, state } = checkpoint;
  const { bytes, pieces } = safetensorPieces(checkpoint.tensors);
  const hash = createHash('sha256');
  const files = filesOf(run, step);
  await makeFolder(run.checkpointsFolder); // A repository keeps no empty folders: it is gone in a clone.
  await rm(files.side, { force: true }); // A damaged one of an earlier attempt must not vouch for the new tensors.
  await writeAtomically(files.tensors, { bytes, pieces: hashed(pieces, hash) });
  const side = JSON.stringify({
    format: RUN_FORMAT_VERSION,
    run: { id: run.id, created: run.record.created },
    step,
    eventsOffset,
    tensors: { bytes, sha256: hash.digest('hex') },
    state,
  });
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
    if ((await hashRegularFile(files.tensors, Infinity)) !== side.tensors.sha256)
      return `damaged (${files.tensors} does not have the checksum that was recorded)`;
    const { tensors } = openSafetensors(sourceOfFile(files.tensors, DAMAGED_MEANWHILE));
    return { step, tensors, state: side.state, eventsOffset: side.eventsOffset };
  } catch {
    return `damaged (${files.tensors} cannot be read)`;
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

/** Passes on the pieces of a file that are added to its hash. */
function* hashed(pieces: Iterable<Uint8Array>, hash: Hash): Generator<Uint8Array> {
  for (const piece of pieces) {
    hash.update(piece);
    yield piece;
  }
}
