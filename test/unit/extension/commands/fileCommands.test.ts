/** What Apply From Next Distortion sends to a run, by what its file said when it began and says now. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { FileCommands } from '../../../../extension/commands/fileCommands.ts';
import { StoredRun } from '../../../../extension/runs/storedRun.ts';
import { createRun } from '../../../../server/runs/createRun.ts';
import type { RunRecord } from '../../../../server/runs/runRecord.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';
import { resetEditor, shown, Uri } from '../fakeEditor.ts';

vi.mock('vscode', () => import('../fakeEditor.ts'));

beforeEach(resetEditor);

const FC1 = 'compression.layers.fc1.rate';
const FC2 = 'compression.layers.fc2.rate';
const LEARNING_RATE = 'training.optimizer.learningRate';

/** @param layers their values, as they stand in the file @param rest settings behind the compression */
const textWith = (layers: string, rest = '', schedule = '') => `{
  "model": "builtin:lenet-300-100",
  "data": { "type": "mnist", "path": "mnist" },
  "training": { "optimizer": { "type": "adam", "learningRate": 0.01 }, "batchSize": 50, "steps": 1000 },
  "compression": { "method": "prune", "distortEvery": 10, "layers": { ${layers} }${schedule} }${rest}
}
`;
const plain = textWith('"fc1": { "rate": 0.9 }, "fc2": { "rate": 0.8 }');
const aimed = textWith('"fc1": {}, "fc2": {}', ', "target": { "maxDrop": 0.005 }');
const swept = textWith('"fc1": { "rate": 0.9 }, "fc2": { "rate": 0.8 }', `, "sweep": { "vary": { "${FC1}": [0.9, 0.95] } }`); // prettier-ignore

interface Began {
  readonly text: string;
  readonly overrides?: readonly string[];
  readonly changes?: RunRecord['changes'];
}

const ofSearch: Began = { text: aimed, overrides: ['target=null', `${FC1}=0.93`, `${FC2}=0.8`] };
const ofSweep: Began = { text: swept, overrides: ['sweep=null', `${FC1}=0.95`] };
const withValues: Began = { text: plain, overrides: [`${FC1}=0.95`, 'training.seed=2'] };
const changed = (...values: string[]) => [{ step: 10, values }];

/** What the command sends to a run that began so, from a file whose text is `now`. */
async function sent({ text, overrides, changes }: Began, now: string): Promise<readonly string[] | undefined> {
  const file = join(await temporaryFolder(), 'lenet.deeptwist.jsonc');
  writeFileSync(file, now);
  const run = await createRun({ experiment: file, text, overrides, changes });
  const stored = new StoredRun(run, undefined, {});
  let values: readonly string[] | undefined;
  stored.live = {
    state: { phase: 'training' },
    request: (_: string, asked: { values: readonly string[] }) => {
      values = asked.values;
      return Promise.resolve({ step: 20 });
    },
  } as never;
  const store = { active: [stored], refresh: () => Promise.resolve() };
  await new FileCommands({ store } as never, {} as never).applyFromNextDistortion(new Uri(file).toString());
  return values;
}

test.each<[string, Began, string, string[]]>([
  ['a value that is edited', { text: plain }, plain.replace('0.9 ', '0.7 '), [`${FC1}=0.7`]],
  [
    'one that is deleted, of which the default is left',
    { text: textWith('"fc1": { "rate": 0.9 }', '', ', "schedule": { "initialRate": 0, "from": 0, "to": 9, "exponent": 7 }') }, // prettier-ignore
    textWith('"fc1": { "rate": 0.9 }', '', ', "schedule": { "initialRate": 0, "from": 0, "to": 9 }'),
    ['compression.schedule.exponent=3'],
  ],
  ['in a search, the learning rate alone', ofSearch, aimed.replace('0.01', '0.02'), [`${LEARNING_RATE}=0.02`]],
  ['in a search, a value that is written', ofSearch, aimed.replace('{}', '{ "rate": 0.5 }'), [`${FC1}=0.5`]],
  ['in a search, the weakest value, written', ofSearch, aimed.replace('{}', '{ "rate": 0 }'), [`${FC1}=0`]],
  ['in a sweep, the learning rate alone', ofSweep, swept.replace('0.01', '0.02'), [`${LEARNING_RATE}=0.02`]],
  ['in a sweep, a new value of what varies', ofSweep, swept.replace('0.9 ', '0.7 '), [`${FC1}=0.7`]],
  ['a new value of what was set for the run alone', withValues, plain.replace('0.9 ', '0.7 '), [`${FC1}=0.7`]],
  ['the old value, back in the file', { text: plain, changes: changed(`${FC1}=0.7`) }, plain, [`${FC1}=0.9`]],
  [
    'the old value of what was set for the run alone, back in the file',
    { ...withValues, changes: changed(`${FC1}=0.7`) },
    plain,
    [`${FC1}=0.9`],
  ],
  [
    'all of a part that is edited and that the run was begun without',
    {
      text: textWith('"fc1": { "rate": 0.9 }', '', ', "schedule": { "from": 10, "to": 20 }'),
      overrides: ['compression.schedule=null'],
    },
    textWith('"fc1": { "rate": 0.9 }', '', ', "schedule": { "from": 10, "to": 30 }'),
    ['compression.schedule={"initialRate":0,"from":10,"to":30,"exponent":3}'],
  ],
  [
    'the defaults of a part that is new, where the run was given others',
    {
      text: textWith('"fc1": { "rate": 0.9 }'),
      overrides: ['compression.schedule={"initialRate":0.1,"from":10,"to":20,"exponent":7}'],
    },
    textWith('"fc1": { "rate": 0.9 }', '', ', "schedule": { "from": 10, "to": 20 }'),
    ['compression.schedule.initialRate=0', 'compression.schedule.exponent=3'],
  ],
])('%s is sent', async (_, began, now, values) => {
  expect(await sent(began, now)).toEqual(values);
});

const given = (...paths: string[]) =>
  `The run was given values of its own for ${paths.join(', ')}, and the file has no new ones.`;

test.each<[string, Began, string, string]>([
  ['from its own file', { text: plain }, plain, 'The run has the values of the file already.'],
  ['from the file of a search', ofSearch, aimed, given(FC1, FC2)],
  ['from the file of a search where its target alone is edited', ofSearch, aimed.replace('0.005', '0.01'), given(FC1, FC2)], // prettier-ignore
  ['from the file of a search after a change that was not the file’s', { ...ofSearch, changes: changed(`${FC1}=0.6`) }, aimed, given(FC1, FC2)], // prettier-ignore
  ['where a value is left to a search', { text: plain }, aimed, given(FC1, FC2)],
  ['from the file of a sweep', ofSweep, swept, given(FC1)],
  ['from the file of a sweep where its values alone are edited', ofSweep, swept.replace('0.95', '0.97'), given(FC1)],
  ['from a file without what was set for it alone', withValues, plain, given('training.seed', FC1)],
  ['from a file with other comments and places', withValues, plain.replace('"fc1"', '// First.\n"fc1"'), given('training.seed', FC1)], // prettier-ignore
  ['of what it keeps', ofSweep, swept.replace('50', '25'), 'A run keeps training.batchSize from its first step on.'],
])('a run takes nothing %s', async (_, began, now, message) => {
  expect(await sent(began, now)).toBeUndefined();
  expect(shown).toEqual([['information', message, 'Run']]);
});

test('what a sweep gave to a run is not said to be what the run keeps', async () => {
  const began = { text: plain, overrides: ['training.seed=2'] };
  expect(await sent(began, plain.replace('0.01', '0.02'))).toEqual([`${LEARNING_RATE}=0.02`]);
  expect(shown).toEqual([]);
});
