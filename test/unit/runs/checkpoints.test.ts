import { existsSync } from 'node:fs';
import { copyFile, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '../../until.ts';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../server/protocol/userError.ts';
import { readLatestCheckpoint, writeCheckpoint } from '../../../server/runs/checkpoints.ts';
import type { Checkpoint } from '../../../server/runs/checkpoints.ts';
import { Arena, arenaBytes } from '../../../server/memory/arena.ts';
import { encodeSafetensors } from '../../../server/formats/safetensors.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { openRun, type Run } from '../../../server/runs/run.ts';
import { temporaryRun } from './temporaryRun.ts';

function checkpointAt(step: number): Checkpoint {
  return {
    step,
    tensors: new Map([
      ['fc1/kernel', { dtype: 'F32', shape: [2, 3], data: Float32Array.of(step, -0, 1.5, NaN, Infinity, 1e-40) }],
      ['adam/count', { dtype: 'I32', shape: [], data: Int32Array.of(step) }],
    ]),
    state: { random: [1, 2, 3, step], epoch: 2 },
    eventsOffset: step * 10,
  };
}

async function runWithCheckpoints(...steps: number[]): Promise<Run> {
  const run = await temporaryRun();
  for (const step of steps) await writeCheckpoint(run, checkpointAt(step), { keep: 2 });
  return run;
}

const tensorFile = (run: Run, step: number) =>
  join(run.checkpointsFolder, `step-${String(step).padStart(9, '0')}.safetensors`);

describe('checkpoints', () => {
  it('are read back bit by bit', async () => {
    const run = await runWithCheckpoints(1000);
    const { checkpoint, warnings } = await readLatestCheckpoint(run);
    expect(checkpoint).toEqual(checkpointAt(1000));
    expect(warnings).toEqual([]);
  });

  it('keep the newest ones, without anything left over', async () => {
    const run = await runWithCheckpoints(1000, 2000, 3000);
    expect((await readdir(run.checkpointsFolder)).sort()).toEqual([
      'step-000002000.json',
      'step-000002000.safetensors',
      'step-000003000.json',
      'step-000003000.safetensors',
    ]);
    expect((await readLatestCheckpoint(run)).checkpoint?.step).toBe(3000);
  });

  it('hold views of memories of WebAssembly, where tensors live, and are as many bytes as they say', async () => {
    const run = await temporaryRun();
    const weights = new Arena(arenaBytes(3)).float32(3);
    weights.set([1, 2, 3]);
    const tensors: Checkpoint['tensors'] = new Map([['w', { dtype: 'F32', shape: [3], data: weights }]]);
    await writeCheckpoint(run, { step: 1, tensors, state: null, eventsOffset: 0 }, { keep: 1 });
    expect(await readFile(tensorFile(run, 1))).toEqual(Buffer.from(encodeSafetensors(tensors)));
    expect((await readLatestCheckpoint(run)).checkpoint?.tensors.get('w')?.data).toEqual(weights);
  });

  it('are read a tensor at a time, when its numbers are looked at', async () => {
    const run = await runWithCheckpoints(1000);
    const { checkpoint } = await readLatestCheckpoint(run);
    const kernel = checkpoint?.tensors.get('fc1/kernel');
    expect(kernel?.data).toEqual(checkpointAt(1000).tensors.get('fc1/kernel')?.data);
    expect(kernel?.data).not.toBe(kernel?.data);
    await rm(tensorFile(run, 1000));
    const { message, remedy } = await userErrorOf(() => kernel?.data);
    expect(message).toBe(`${tensorFile(run, 1000)} cannot be read: there is no such file.`);
    expect(remedy).toBe('Resume again: the run goes on from the newest checkpoint that is whole.');
  });

  it.each([
    ['a byte of a tensor', /does not have the checksum/, flipLastByte],
    ['half of the tensor file', /has \d+ bytes instead of \d+/, (file: string) => truncate(file, 20)],
    ['the tensor file', /safetensors cannot be read/, (file: string) => rm(file)],
    ['the other file', /json cannot be read/, (file: string) => writeFile(file.replace('.safetensors', '.json'), '{')],
  ])('fall back to the one before, and say so, when %s is lost', async (_, reason, damage) => {
    const run = await runWithCheckpoints(1000, 2000);
    await damage(tensorFile(run, 2000));
    const { checkpoint, warnings } = await readLatestCheckpoint(run);
    expect(checkpoint).toEqual(checkpointAt(1000));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^The checkpoint of step 2,000 is damaged \(.*\); falling back to step 1,000\.$/);
    expect(warnings[0]).toMatch(reason);
  });

  it('say so when all are damaged', async () => {
    const run = await runWithCheckpoints(1000, 2000);
    for (const step of [1000, 2000]) await flipLastByte(tensorFile(run, step));
    const { checkpoint, warnings } = await readLatestCheckpoint(run);
    expect(checkpoint).toBeUndefined();
    expect(warnings[1]).toMatch(/there is none before it, and the run starts from the beginning\.$/);
  });

  it('of another run are passed over, and told of', async () => {
    const run = await runWithCheckpoints(1000);
    await pause(2); // Runs are told apart by the millisecond at which they were made.
    const other = await runWithCheckpoints(3000);
    for (const name of await readdir(other.checkpointsFolder))
      await copyFile(join(other.checkpointsFolder, name), join(run.checkpointsFolder, name));
    expect(await readLatestCheckpoint(run)).toEqual({
      checkpoint: checkpointAt(1000),
      warnings: [`The checkpoint of step 3,000 is one of another run, ${other.id}; falling back to step 1,000.`],
    });
  });

  it('are those of a run also where its folder was renamed, or an early version did not say whose they are', async () => {
    const run = await runWithCheckpoints(1000);
    await rename(run.path, `${run.path}-renamed`);
    const renamed = await openRun(`${run.path}-renamed`);
    expect((await readLatestCheckpoint(renamed)).checkpoint).toEqual(checkpointAt(1000));
    const side = tensorFile(renamed, 1000).replace('.safetensors', '.json');
    const { run: writer, ...early } = JSON.parse(await readFile(side, 'utf8')) as Record<string, unknown>;
    expect(writer).toEqual({ id: run.id, created: run.record.created });
    await writeFile(side, JSON.stringify(early));
    expect((await readLatestCheckpoint(renamed)).checkpoint).toEqual(checkpointAt(1000));
  });

  it('are damaged where their name tells of another step', async () => {
    const run = await runWithCheckpoints(1000);
    for (const ending of ['.json', '.safetensors'])
      await rename(
        tensorFile(run, 1000).replace('.safetensors', ending),
        tensorFile(run, 9000).replace('.safetensors', ending),
      );
    const { checkpoint, warnings } = await readLatestCheckpoint(run);
    expect(checkpoint).toBeUndefined();
    expect(warnings[0]).toContain('says that it is of step 1,000');
  });

  it('can be written where a repository did not keep the empty folder, but not where the run was deleted', async () => {
    const run = await temporaryRun();
    await rm(run.checkpointsFolder, { recursive: true });
    expect((await readLatestCheckpoint(run)).warnings).toEqual([
      `There is no ${run.checkpointsFolder}: the run starts from the beginning.`,
    ]);
    await writeCheckpoint(run, checkpointAt(1000), { keep: 1 });
    expect((await readLatestCheckpoint(run)).checkpoint?.step).toBe(1000);
    await rm(run.path, { recursive: true });
    await expect(writeCheckpoint(run, checkpointAt(2000), { keep: 1 })).rejects.toThrow('was deleted or moved');
    expect(existsSync(run.path)).toBe(false);
  });

  it('do not count until they are complete', async () => {
    const run = await runWithCheckpoints(1000, 2000);
    await rm(tensorFile(run, 2000).replace('.safetensors', '.json')); // Killed between the two files.
    expect(await readLatestCheckpoint(run)).toEqual({ checkpoint: checkpointAt(1000), warnings: [] });
  });

  it('lose a damaged one that the resumed run has not reached again', async () => {
    const run = await runWithCheckpoints(1000, 2000);
    await flipLastByte(tensorFile(run, 2000));
    await writeCheckpoint(run, checkpointAt(1500), { keep: 2 });
    const { checkpoint, warnings } = await readLatestCheckpoint(run);
    expect(checkpoint?.step).toBe(1500);
    expect(warnings).toEqual([]);
    expect(existsSync(tensorFile(run, 1000))).toBe(true);
  });

  it.runIf(existsSync('/dev/full'))('leave the earlier ones intact when the disk is full', async () => {
    const run = await runWithCheckpoints(1000);
    await symlink('/dev/full', tensorFile(run, 2000) + '.tmp'); // Every write to it fails with ENOSPC.
    const error = await writeCheckpoint(run, checkpointAt(2000), { keep: 1 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(
      /^The disk is full: writing to .*checkpoints needs \d+ B, .* are free\. What was recorded before is intact\.$/,
    );
    expect(await readLatestCheckpoint(run)).toEqual({ checkpoint: checkpointAt(1000), warnings: [] });
    await writeCheckpoint(run, checkpointAt(2000), { keep: 1 }); // There is space again.
    expect((await readLatestCheckpoint(run)).checkpoint?.step).toBe(2000);
  });
});

async function flipLastByte(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length - 1] ^= 1;
  await writeFile(file, bytes);
}
