/** @file The commands of package.json, and links to runs. What they do is loaded with the first of them. */
import { commands, window, type Disposable } from 'vscode';
import type { Services } from '../services.ts';
import type { commandActions, Shown } from './commandActions.ts';
import { commandNames } from './commandNames.ts';
import { reportError } from '../messages.ts';

export function registerCommands(services: Services, shown: Shown): Disposable[] {
  let loading: Promise<ReturnType<typeof commandActions>> | undefined;
  const load = async () => (await import('./commandActions.ts')).commandActions(services, shown);
  const reporting = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      reportError(error, services.log);
      return undefined;
    }
  };
  const links = window.registerUriHandler({
    handleUri: (uri) => reporting(async () => (await import('./runLinks.ts')).openLink(services, uri)),
  });
  const registered = commandNames.map((name) =>
    commands.registerCommand(`deeptwist.${name}`, (argument?: unknown, selection?: unknown) =>
      reporting(async () => (await (loading ??= load()))[name](argument, selection)),
    ),
  );
  return [links, ...registered];
}
