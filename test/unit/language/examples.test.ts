import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { ExperimentDocument, type Surroundings } from '../../../server/language/experimentDocument.ts';
import { diagnosticsOf } from '../../../server/language/findings/diagnostics.ts';

const root = join(import.meta.dirname, '../../../examples');
const files = ['mnist', 'language-model', 'cifar-10', 'table'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.deeptwist.jsonc'))
    .map((name) => `${folder}/${name}`),
);

/** Everything is there, except for the run that an example says to train first. */
const around: Surroundings = {
  model: undefined,
  modelText: undefined,
  runs: [],
  others: [],
  cores: 2,
  exists: (path) => !/pretrain|^lenet-5-prune$/.test(path),
  entries: () => [],
  columns: () => [],
};

it.each(files)('the example %s has no problem', (file) => {
  const text = readFileSync(join(root, file), 'utf8');
  const document = new ExperimentDocument(TextDocument.create(`file:///${file}`, 'deeptwist', 1, text));
  const codes = diagnosticsOf(document, around).map(({ code }) => code);
  expect(codes).toEqual(text.includes('"run:') ? ['no-such-run'] : []);
});
