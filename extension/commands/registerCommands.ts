/** @file The commands of package.json. What they do is loaded with the first of them. */
import { commands, type Disposable } from 'vscode';
import type { Services } from '../services.ts';
import type { commandActions, Shown } from './commandActions.ts';
import { commandNames } from './commandNames.ts';
import { reportError } from '../messages.ts';

export function registerCommands(services: Services, shown: Shown): Disposable[] {
  let loading: Promise<ReturnType<typeof commandActions>> | undefined;
  const load = async () => (await import('./commandActions.ts')).commandActions(services, shown);
  return commandNames.map((name) =>
    commands.registerCommand(`deeptwist.${name}`, async (argument?: unknown, selection?: unknown) => {
      try {
        const actions = await (loading ??= load());
        return await actions[name](argument, selection);
      } catch (error) {
        reportError(error, services.log);
        return undefined;
      }
    }),
  );
}
