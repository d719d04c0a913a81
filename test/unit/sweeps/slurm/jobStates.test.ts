import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  formatIndexes,
  isEnded,
  parseAccounting,
  parseIndexes,
  parseQueueJson,
  parseQueueText,
} from '../../../../server/sweeps/slurm/jobStates.ts';

const names = new Set(['term.sh']);
const recorded = readFileSync(new URL('recorded/squeue.json', import.meta.url), 'utf8');

test('the tasks of an array job are found in a recorded answer, those that wait together each for itself', () => {
  const tasks = parseQueueJson(recorded, names);
  expect(tasks).toEqual([
    { job: '1_1', id: '2', index: 1, name: 'term.sh', state: 'RUNNING', reason: '' },
    ...[2, 3, 4].map((index) => ({ job: `1_${index}`, id: undefined, index, name: 'term.sh', state: 'PENDING', reason: 'JobArrayTaskLimit' })),
  ]); // prettier-ignore
  expect(parseQueueJson(recorded, new Set(['another']))).toEqual([]);
});

test('the numbers and states of Slurm 23.11 and later are understood', () => {
  const set = (number: number) => ({ set: true, infinite: false, number });
  const unset = { set: false, infinite: false, number: 0 };
  const job = { name: 'term.sh', state_reason: 'None', array_job_id: set(7) };
  const text = JSON.stringify({
    jobs: [
      { ...job, job_id: 9, array_task_id: set(3), array_task_string: '', job_state: ['RUNNING'] },
      { ...job, job_id: 10, array_task_id: set(4), array_task_string: '', job_state: ['CANCELLED', 'COMPLETING'] },
      { ...job, job_id: 7, array_task_id: unset, array_task_string: '5,7-8', job_state: ['PENDING'] },
    ],
  });
  const tasks = parseQueueJson(text, names)!;
  expect(tasks.map(({ job: id, state }) => `${id} ${state}`)).toEqual(['7_3 RUNNING', '7_4 COMPLETING', '7_5 PENDING', '7_7 PENDING', '7_8 PENDING']); // prettier-ignore
  expect(tasks.map(isEnded)).toEqual([false, false, false, false, false]);
});

test('an answer that is no JSON, or in which Slurm has cut a list short, is none', () => {
  expect(parseQueueJson('slurm_load_jobs error: Unable to contact slurm controller', names)).toBeUndefined();
  expect(parseQueueJson('{"jobs": [{"job_id": "x"}]}', names)).toBeUndefined();
  expect(parseQueueJson(recorded.replace('2-4%1', '2,4,6,...'), names)).toBeUndefined();
});

test('the text of old versions says the same', () => {
  const text = '1_2|1|PENDING|JobArrayTaskLimit|term.sh\n1_1|2|RUNNING|None|term.sh\n17|17|RUNNING|None|other\n';
  expect(parseQueueText(text, names)).toEqual([
    { job: '1_2', id: '1', index: 2, name: 'term.sh', state: 'PENDING', reason: 'JobArrayTaskLimit' },
    { job: '1_1', id: '2', index: 1, name: 'term.sh', state: 'RUNNING', reason: '' },
  ]);
  expect(parseAccounting('8_1|9|CANCELLED by 1000|term.sh\n8_[3-4]|8|PENDING|term.sh\n', names)).toEqual([
    { job: '8_1', id: '9', index: 1, name: 'term.sh', state: 'CANCELLED', reason: '' },
  ]);
});

test('indexes that are written as ranges are read as they were', () => {
  expect(formatIndexes([1, 2, 3, 7, 9, 10])).toBe('1-3,7,9-10');
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 2000 }), { minLength: 1 }), (all) => {
      const sorted = all.toSorted((a, b) => a - b);
      expect(parseIndexes(`${formatIndexes(sorted)}%3`)).toEqual(sorted);
    }),
  );
});
