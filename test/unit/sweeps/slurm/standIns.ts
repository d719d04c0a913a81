/** @file Programs in the place of Slurm's, which answer what a test has written, and write down how they were called. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach } from 'vitest';
import { temporaryFolder } from '../../runs/temporaryRun.ts';

const PROGRAMS = ['sbatch', 'squeue', 'sacct', 'scancel', 'scontrol'] as const;
type Program = (typeof PROGRAMS)[number];

const system = process.env.PATH;
afterEach(() => {
  process.env.PATH = system;
});

/** A task as `squeue --json` tells it. */
export interface FakeTask {
  readonly name: string;
  readonly index: number;
  readonly state: string;
  readonly reason?: string;
  readonly array?: number;
}

export async function standIns(without: readonly Program[] = []) {
  const folder = await temporaryFolder();
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const name of PROGRAMS.filter((program) => !without.includes(program))) {
    const file = join(bin, name);
    const answer = join(folder, name);
    const lines = ['#!/bin/sh', `echo "${name} $*" >> '${folder}/calls'`, `[ "$1" = --version ] && exit 0`];
    if (name === 'squeue') lines.push(`[ "$1" = --json ] && [ -f '${answer}.old' ] && exit 1`);
    lines.push(`[ -f '${answer}.error' ] && cat '${answer}.error' >&2 && exit 1`, `cat '${answer}' 2>/dev/null`, 'exit 0'); // prettier-ignore
    writeFileSync(file, `${lines.join('\n')}\n`);
    chmodSync(file, 0o755);
  }
  process.env.PATH = `${bin}${delimiter}${system ?? ''}`;
  const answer = (program: Program, text: string) => writeFileSync(join(folder, program), text);
  answer('sbatch', '1\n');
  answer('squeue', JSON.stringify({ jobs: [] }));
  answer('scontrol', 'MaxArraySize            = 1001\n');
  return {
    folder,
    answer,
    /** The program ends with code 1 from now on, and says so; undefined: it does no more. */
    fail(program: Program, message: string | undefined) {
      const file = join(folder, `${program}.error`);
      if (message === undefined) rmSync(file, { force: true });
      else writeFileSync(file, message);
    },
    /** `squeue` does not know --json any more. */
    makeOld: () => writeFileSync(join(folder, 'squeue.old'), ''),
    queue: (tasks: readonly FakeTask[]) =>
      answer(
        'squeue',
        JSON.stringify({
          jobs: tasks.map(({ name, index, state, reason = 'None', array = 1 }) => ({
            job_id: array + index,
            name,
            array_job_id: array,
            array_task_id: index,
            array_task_string: '',
            job_state: state,
            state_reason: reason,
          })),
        }),
      ),
    calls(program: Program): string[] {
      const file = join(folder, 'calls');
      const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
      return lines.filter((line) => line.startsWith(`${program} `));
    },
  };
}
