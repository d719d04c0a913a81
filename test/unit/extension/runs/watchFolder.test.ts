import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { watchFolder, type FolderWatch } from '../../../../extension/runs/watchFolder.ts';
import { until, untilAsserted } from '../../../until.ts';

let root: string;
let runs: string;
let seen: Set<string>;
let calls: number;
let watching: FolderWatch;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'deeptwist-watch-'));
  runs = join(root, '.deeptwist', 'runs');
  seen = new Set();
  calls = 0;
});
afterEach(() => {
  watching.dispose();
  rmSync(root, { recursive: true });
});

function start(): void {
  watching = watchFolder(runs, (names) => {
    calls++;
    for (const name of names) seen.add(name);
  });
}

/** Starts, and waits until a change is told. */
async function startAndSee(): Promise<void> {
  start();
  mkdirSync(join(runs, 'probe'));
  await until(() => seen.has('probe'));
  seen.clear();
}

test('a run folder that comes or goes is told', async () => {
  mkdirSync(join(runs, 'first'), { recursive: true });
  await startAndSee();
  mkdirSync(join(runs, 'second'));
  await untilAsserted(() => expect([...seen]).toEqual(['second']));
  seen.clear();
  rmSync(join(runs, 'first'), { recursive: true });
  await untilAsserted(() => expect([...seen]).toEqual(['first']));
});

test('a folder that is made together with its first run is told, and what comes into it later', async () => {
  start();
  mkdirSync(join(runs, 'first'), { recursive: true });
  await untilAsserted(() => expect(calls).toBeGreaterThan(0));
  mkdirSync(join(runs, 'second'));
  await untilAsserted(() => expect(seen).toContain('second'));
});

test('a folder that is deleted and made anew is followed', async () => {
  mkdirSync(runs, { recursive: true });
  await startAndSee();
  let before = calls;
  rmSync(join(root, '.deeptwist'), { recursive: true });
  await untilAsserted(() => expect(calls).toBeGreaterThan(before));
  before = calls;
  mkdirSync(join(runs, 'again'), { recursive: true });
  await untilAsserted(() => expect(calls).toBeGreaterThan(before));
  mkdirSync(join(runs, 'later'));
  await untilAsserted(() => expect(seen).toContain('later'));
});

test('many changes at once are told in a few calls', async () => {
  mkdirSync(runs, { recursive: true });
  await startAndSee();
  const before = calls;
  for (let i = 0; i < 200; i++) mkdirSync(join(runs, `run-${i}`));
  await untilAsserted(() => expect(seen.size).toBe(200));
  expect(calls - before).toBeLessThan(20);
});
