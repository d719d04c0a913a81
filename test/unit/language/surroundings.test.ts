import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { ExperimentDocument } from '../../../server/language/experimentDocument.ts';
import { SurroundingsFinder } from '../../../server/language/surroundings.ts';
import { modelsFolder } from '../../../server/runs/storedDescriptions.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';
import { lenet, prepareFolder, writeRun } from './lenet.ts';

it('what is around a version of a document is the same object until some of it is another', async () => {
  const folder = await temporaryFolder();
  await prepareFolder(folder);
  const file = join(folder, 'lenet.deeptwist.jsonc');
  writeFileSync(file, lenet);
  const open = (text: string, version: number) =>
    new ExperimentDocument(TextDocument.create(pathToFileURL(file).href, 'deeptwist', version, text));
  const document = open(lenet, 1);
  const finder = new SurroundingsFinder({ textOf: () => undefined });
  const first = await finder.around(document);
  expect(first).toMatchObject({ model: expect.anything(), others: [{}, {}, {}, {}] });
  expect(await finder.around(document)).toBe(first);
  expect(await finder.around(open(lenet, 2))).not.toBe(first);

  await writeRun(file, new Date(2026, 1, 1), 'finished');
  const second = await finder.around(document);
  expect(second.runs).toHaveLength(1);
  expect(await finder.around(document)).toBe(second);

  rmSync(modelsFolder(file), { recursive: true });
  const third = await finder.around(document);
  expect(third.model).toBeUndefined();
  expect(await finder.around(document)).toBe(third);

  // A file that may be an experiment's data has come: nobody knows which findings that changes.
  finder.forget();
  expect(await finder.around(document)).not.toBe(third);
  const fourth = await finder.around(document);
  finder.folders = [dirname(folder)];
  expect(await finder.around(document)).not.toBe(fourth);
});
