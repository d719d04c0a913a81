/** @file The sample experiment: LeNet-300-100 on pictures that a module draws, so that a first run needs no data. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Uri, window, workspace, type ExtensionContext } from 'vscode';
import { newMethods } from '../../server/protocol/experiment/methods/newMethods.ts';
import { Proposer } from './proposer.ts';
import { writeShippedFile } from './shippedFiles.ts';

export const SAMPLE_FILE = 'sample-digits.ts';
/** Half a minute on a laptop at most. */
export const SAMPLE_STEPS = 2000;
const [method] = newMethods;
const SAMPLE_EXPERIMENT = `sample-digits-${method}.deeptwist.jsonc`;

/**
 * Writes the module beside an experiment; one that is there stays as it is.
 * @returns its absolute path
 */
export async function writeSampleDigits(extensionUri: Uri, folder: string): Promise<string> {
  const file = join(folder, SAMPLE_FILE);
  await writeShippedFile(extensionUri, SAMPLE_FILE, file);
  return file;
}

/** Writes the sample experiment to a folder, where it is not there yet, and opens it. */
export async function openSampleExperiment(context: ExtensionContext, folder: string): Promise<Uri> {
  await writeSampleDigits(context.extensionUri, folder);
  const file = Uri.file(join(folder, SAMPLE_EXPERIMENT));
  if (!existsSync(file.fsPath)) {
    const proposer = new Proposer(context);
    try {
      const text = await proposer.ask('sample', { module: `./${SAMPLE_FILE}`, steps: SAMPLE_STEPS });
      await workspace.fs.writeFile(file, new TextEncoder().encode(text));
    } finally {
      proposer.dispose();
    }
  }
  // As a tab that stays, beside the walkthrough: a preview would take its place.
  await window.showTextDocument(file, { preview: false });
  return file;
}
