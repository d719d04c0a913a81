/** @file Models of a new experiment that the search of the workspace does not give: a file that the user picks, and a new one. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { l10n, window, type Uri } from 'vscode';
import { modelEndings, moduleEndings } from '../../server/protocol/model/modelEndings.ts';
import { moduleOf } from '../../server/protocol/model/modelExports.ts';
import type { FoundModel } from '../../server/protocol/wire/proposals.ts';
import type { Proposer } from './proposer.ts';
import { shippedFile, writeShippedFile } from './shippedFiles.ts';

const TEMPLATE = 'template-model.ts';

/** @returns undefined where the user cancelled */
export async function browseForModel(proposer: Proposer): Promise<FoundModel | undefined> {
  const endings = [...modelEndings, ...moduleEndings].map((ending) => ending.slice(1));
  const [file] =
    (await window.showOpenDialog({
      title: l10n.t('The model to compress'),
      filters: { [l10n.t('Models')]: endings },
    })) ?? [];
  return file && modelIn(proposer, file.fsPath);
}

/** The template as a model of a folder, where {@link writeTemplate} writes it. */
export async function templateModel(proposer: Proposer, extensionUri: Uri, folder: string): Promise<FoundModel> {
  const model = await modelIn(proposer, shippedFile(extensionUri, TEMPLATE));
  let reference = join(folder, 'model.ts');
  for (let number = 2; existsSync(reference); number++) reference = join(folder, `model-${number}.ts`);
  return { ...model, reference };
}

export function writeTemplate(extensionUri: Uri, { reference }: FoundModel): Promise<void> {
  return writeShippedFile(extensionUri, TEMPLATE, reference);
}

/** A file as a model, with what can be read from the text of a module; nothing of it is executed. */
async function modelIn(proposer: Proposer, file: string): Promise<FoundModel> {
  const isModule = moduleOf(file) !== undefined;
  const nothing = { digits: [], images: [], arrays: [], tables: [], texts: [] };
  const { models } = await proposer.ask('find', {
    ...nothing,
    sources: isModule ? [file] : [],
    models: isModule ? [] : [file],
  });
  return models.find(({ reference }) => basename(reference) === basename(file)) ?? { reference: file };
}
