import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchFolder, type FolderWatch } from '../../../extension/runs/watchFolder.ts';

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

test('a run folder that comes or goes is told', async () => {
  mkdirSync(join(runs, 'first'), { recursive: true });
  start();
  await sleep(100);
  mkdirSync(join(runs, 'second'));
  await vi.waitFor(() => expect([...seen]).toEqual(['second']));
  seen.clear();
  rmSync(join(runs, 'first'), { recursive: true });
  await vi.waitFor(() => expect([...seen]).toEqual(['first']));
});

test('a folder that is made together with its first run is told, and what comes into it later', async () => {
  start();
  mkdirSync(join(runs, 'first'), { recursive: true });
  await vi.waitFor(() => expect(calls).toBeGreaterThan(0));
  mkdirSync(join(runs, 'second'));
  await vi.waitFor(() => expect(seen).toContain('second'));
});

test('a folder that is deleted and made anew is followed', async () => {
  mkdirSync(runs, { recursive: true });
  start();
  await sleep(100);
  rmSync(join(root, '.deeptwist'), { recursive: true });
  await sleep(100);
  mkdirSync(join(runs, 'again'), { recursive: true });
  const before = calls;
  await vi.waitFor(() => expect(calls).toBeGreaterThan(before));
  mkdirSync(join(runs, 'later'));
  await vi.waitFor(() => expect(seen).toContain('later'));
});

test('many changes at once are told in a few calls', async () => {
  mkdirSync(runs, { recursive: true });
  start();
  await sleep(100);
  const before = calls;
  for (let i = 0; i < 200; i++) mkdirSync(join(runs, `run-${i}`));
  await vi.waitFor(() => expect(seen.size).toBe(200));
  expect(calls - before).toBeLessThan(20);
});
