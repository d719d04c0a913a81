import { join } from 'node:path';
import { expect, test } from 'vitest';
import { settingsOf } from '../../../../extension/runs/settingsOfRun.ts';
import { StoredRun } from '../../../../extension/runs/storedRun.ts';
import { parseExperiment } from '../../../../server/protocol/experiment/parseExperiment.ts';
import { createRun } from '../../../../server/runs/createRun.ts';
import { lenet } from '../../language/lenet.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';

test('a run has no target, so that the file of a search, run as it is, has runs with the settings of the others', async () => {
  const text = lenet.replace('"training": {', '"target": { "maxDrop": 0.005 },\n"training": {');
  const run = await createRun({ experiment: join(await temporaryFolder(), 'lenet.deeptwist.jsonc'), text });
  expect(await settingsOf(new StoredRun(run, undefined, {}))).toEqual(parseExperiment(lenet, { file: 'test' }));
});
