/** @file `npm run bench -- sweep-kills`: sweeps and their runs, killed at random moments and gone on with, end as one that was not. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../scripts/root.js';
import { killSweeps, sweepToTheEnd } from '../unit/sweeps/killing.ts';
import type { Benchmark } from './bench.ts';

export default {
  options: { kills: { type: 'string' }, seed: { type: 'string' } },
  async run({ kills = '20', seed = String(Date.now() % 1e6) }) {
    const folder = mkdtempSync(join(tmpdir(), 'deeptwist-sweep-kills-'));
    const system = process.env.TMPDIR;
    // The queue of these runs alone.
    const runtime = join(folder, 'tmp');
    mkdirSync(runtime);
    process.env.TMPDIR = runtime;
    const waiting = setInterval(() => undefined, 1000); // A child that has ended does not keep the process alive.
    try {
      const newFolder = () => mkdtemp(join(folder, 'sweep-'));
      const uninterrupted = await sweepToTheEnd(root, await newFolder());
      const sweeps = await killSweeps({
        ...{ installation: root, newFolder, whole: uninterrupted },
        ...{ kills: Number(kills), seed: Number(seed) },
      });
      for (const { kills: own, fault } of sweeps)
        console.log(`  killed: ${own.join('; ') || 'nothing, it had ended'}: ${fault ?? 'the same end'}`);
      const whole = sweeps.filter(({ fault }) => fault === undefined).length;
      const count = sweeps.reduce((sum, sweep) => sum + sweep.kills.length, 0);
      return [
        {
          case: `sweeps with the same end, ${count} kills, seed ${seed as string}`,
          ours: whole,
          unit: 'sweeps',
          ratio: whole / sweeps.length,
          target: sweeps.length,
        },
      ];
    } finally {
      clearInterval(waiting);
      if (system === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = system;
      rmSync(folder, { recursive: true, force: true });
    }
  },
} satisfies Benchmark;
