/** @file The commands that make experiment files. The questions are loaded when they are asked. */
import { commands, Disposable, workspace } from 'vscode';
import type { Services } from '../services.ts';
import { experimentMade } from '../walkthrough/completion.ts';
import { offerFolder, reportError } from '../messages.ts';

export function registerNewExperiment(services: Services): Disposable {
  const { context, log } = services;
  const register = (name: string, make: () => Promise<unknown>) =>
    commands.registerCommand(`deeptwist.${name}`, async () => {
      try {
        const file = (await hasFolder()) ? await make() : undefined;
        if (file) experimentMade();
        return file;
      } catch (error) {
        reportError(error, log);
        return undefined;
      }
    });
  return Disposable.from(
    register('newExperiment', async () => {
      const { newExperiment } = await import('./wizard.ts');
      return newExperiment(services);
    }),
    register('importModel', async () => {
      const { importModel } = await import('./importModel.ts');
      return importModel(services);
    }),
    register('openSampleExperiment', async () => {
      const { openSampleExperiment } = await import('./sample.ts');
      return openSampleExperiment(context, workspace.workspaceFolders![0].uri.fsPath);
    }),
  );
}

async function hasFolder(): Promise<boolean> {
  if (workspace.workspaceFolders?.length) return true;
  await offerFolder();
  return false;
}
