import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { ExperimentDocument } from '../../../server/language/experimentDocument.ts';
import { otherExperiments } from '../../../server/language/otherExperiments.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';

it('the other experiment files of a workspace are as the editor has them, else as they are on the disk', async () => {
  const folder = await temporaryFolder();
  const write = async (...path: string[]) => {
    const file = join(folder, ...path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, 'on the disk');
    return pathToFileURL(file).href;
  };
  const own = await write('own.deeptwist.jsonc');
  const open = await write('deeper', 'open.deeptwist.jsonc');
  const closed = await write('deeper', 'still', 'closed.deeptwist.jsonc');
  await write('.deeptwist', 'runs', 'x', 'experiment.deeptwist.jsonc');
  await write('node_modules', 'package', 'sample.deeptwist.jsonc');
  await write('model.ts');
  const disk = await temporaryFolder();
  await writeFile(join(disk, 'linked.deeptwist.jsonc'), 'on another disk');
  await symlink(disk, join(folder, 'link'));
  await symlink(folder, join(disk, 'circle'));
  const elsewhere = 'untitled:Untitled-1';
  const texts = new Map([own, open, elsewhere].map((uri) => [uri, TextDocument.create(uri, '', 7, 'in the editor')]));
  const documents = {
    experiments: () => [...texts.keys()],
    experiment: (uri: string) => new ExperimentDocument(texts.get(uri)!),
  };
  const others = await otherExperiments([folder, join(folder, 'deeper')], documents, own);
  expect(others.map(({ text }) => [text.uri, text.version, text.getText()])).toEqual([
    [open, 7, 'in the editor'],
    [elsewhere, 7, 'in the editor'],
    [closed, 0, 'on the disk'],
    [pathToFileURL(join(folder, 'link', 'linked.deeptwist.jsonc')).href, 0, 'on another disk'],
  ]);
});
