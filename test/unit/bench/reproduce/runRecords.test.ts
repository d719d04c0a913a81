import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { RunRecords } from '../../../bench/reproduce/runRecords.ts';
import { finalsOf } from '../../../bench/reproduce/study.ts';
import { recordOf, smallCase } from './recorded.ts';

const folder = mkdtempSync(join(tmpdir(), 'deeptwist-records-'));
const file = join(folder, 'results', 'runs.jsonl');
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const work = smallCase();
const trainings = finalsOf(work, work.rivals[0], ['training.optimizer.learningRate=1'], 2);
const [first, second] = trainings.map((training) => recordOf(training, { test: 0.98 }));

test('records outlive the process, sorted, a line each', () => {
  const records = new RunRecords(file);
  records.add(second);
  records.add(first);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual([first, second]);
  expect(trainings.map(new RunRecords(file).find)).toEqual([first, second]);
});

test('a run of another text of its experiment is not found', () => {
  const records = new RunRecords(file);
  records.add({ ...first, experiment: '00000000' });
  expect(records.find(trainings[0])).toBeUndefined();
});

test('a damaged line is named, and stays as it is', () => {
  const records = new RunRecords(file);
  records.add(first);
  const damaged = `${readFileSync(file, 'utf8')}{"run": "half`;
  writeFileSync(file, damaged);
  expect(() => new RunRecords(file)).toThrow(/runs\.jsonl, line 2 is no record of a run: mend or delete the line/);
  expect(readFileSync(file, 'utf8')).toBe(damaged);
});
