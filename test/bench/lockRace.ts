/** @file Processes that take the lock of a run at the same moment: how often more or fewer than one of them held it. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRun } from '../../server/runs/createRun.ts';
import { bundleContender } from './child.ts';
import type { LockAnswer, LockTask } from './contenders/takeLocks.ts';

/** Milliseconds in which all processes have heard of the next round. */
const NOTICE_MS = 10;

export interface LockRace {
  /** Rounds in which exactly one process held the lock, and nothing went wrong. */
  readonly right: number;
  /** What went wrong, one line each. */
  readonly faults: readonly string[];
}

/**
 * First `rounds` times: a folder without a lock, with that of a dead process, or with one that was cut short, which all processes
 * take at the same moment. Then one folder, whose lock every process takes and leaves `rounds / processes` times, every third
 * time as one that is killed; each counts in the folder that it held it, and no count may be lost.
 * @param root folder of the checkout
 */
export async function raceForLocks(root: string, processes: number, rounds: number): Promise<LockRace> {
  const script = join(root, '.cache', 'bench', 'takeLocks.mjs');
  mkdirSync(join(root, '.cache', 'bench'), { recursive: true });
  await bundleContender(join(root, 'test', 'bench', 'contenders', 'takeLocks.ts'), script);
  const folder = mkdtempSync(join(tmpdir(), 'deeptwist-locks-'));
  const children = Array.from({ length: processes }, () => fork(script, { execArgv: [] }));
  const all = async (task: LockTask) => Promise.all(children.map((child) => ask(child, task)));
  const faults: string[] = [];
  let right = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      const run = await lockedRun(folder, round);
      const taken = await all({ task: 'take', folder: run, at: Date.now() + NOTICE_MS });
      const released = await all({ task: 'release' });
      const wrong = [...taken, ...released].flatMap((answer) => answer.faults);
      const holders = sum(taken);
      if (holders !== 1) wrong.push(`${holders} processes hold the run`);
      const left = readdirSync(run).filter((name) => /lock|tmp/.test(name));
      if (left.length > 0) wrong.push(`${left.join(', ')} stayed`);
      faults.push(...wrong.map((fault) => `round ${round}: ${fault}`));
      if (wrong.length === 0) right++;
      rmSync(run, { recursive: true });
    }
    const run = await lockedRun(folder, 1);
    const answers = await all({ task: 'churn', folder: run, times: Math.ceil(rounds / processes) });
    faults.push(...answers.flatMap((answer) => answer.faults));
    const counted = Number(readFileSync(join(run, 'count'), 'utf8'));
    if (counted !== sum(answers)) faults.push(`${sum(answers)} holders counted to ${counted}`);
  } finally {
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true });
  }
  return { right, faults };
}

async function lockedRun(folder: string, round: number): Promise<string> {
  const run = await createRun({ experiment: join(folder, 'race.deeptwist.jsonc'), text: '{}', out: folder });
  writeFileSync(join(run.path, 'count'), '0');
  if (round % 4 === 0) return run.path;
  const dead = { pid: 4_194_305, startTime: `never/${round}`, host: hostname() }; // Above Linux's largest.
  writeFileSync(run.lockFile, round % 4 === 1 ? '' : JSON.stringify(dead));
  utimesSync(run.lockFile, 0, 0);
  return run.path;
}

function sum(answers: readonly LockAnswer[]): number {
  return answers.reduce((total, { held }) => total + held, 0);
}

async function ask(child: ChildProcess, task: LockTask): Promise<LockAnswer> {
  const answered = once(child, 'message');
  child.send(task);
  const [answer] = (await answered) as [LockAnswer];
  return answer;
}
