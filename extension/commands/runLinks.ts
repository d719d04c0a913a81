/**
 * @file Links to runs, such as `vscode://deeptwist.deeptwist/open?run=ID`. Any page may have one: it says an id and no path, which is looked
 * for among the run folders of this window, and all it can do is to show that run, as a click in the tree does.
 */
import { join } from 'node:path';
import { Uri, commands, env, l10n, window, type ExtensionContext } from 'vscode';
import { shortLine } from '../../server/protocol/printable.ts';
import { UserError } from '../../server/protocol/userError.ts';
import { listRunIds } from '../../server/runs/findRun.ts';
import type { Services } from '../services.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import { chooseAmong, chooseRuns } from './commandTargets.ts';

/** Characters of a link that a message repeats. */
const SHOWN = 100;

export async function copyRunLink(services: Services, argument: unknown): Promise<void> {
  const [stored] = await chooseRuns(services, argument, undefined);
  if (!stored) return;
  await env.clipboard.writeText(linkTo(services.context, stored.run.id).toString(true));
  window.setStatusBarMessage(l10n.t('Copied a link that shows the run where its folder is open in VS Code.'), 5000);
}

/** @param id of a run */
function linkTo({ extension }: ExtensionContext, id: string): Uri {
  const query = new URLSearchParams({ run: id }).toString();
  return Uri.from({ scheme: env.uriScheme, authority: extension.id, path: '/open', query });
}

/** Shows the run of a link, and on wish one of its weights (`&weight=NAME`). @throws UserError */
export async function openLink({ store }: Services, { path, query }: Uri): Promise<void> {
  const parameters = new URLSearchParams(query);
  const id = parameters.get('run');
  if (path !== '/open' || !id)
    throw new UserError(l10n.t('The link names no run: {0}', shortLine(`${path}?${query}`, SHOWN)), {
      remedy: l10n.t('A link to a run ends in {0}.', '/open?run=ID'),
    });
  const found = await runsWithId(store, id);
  const stored = found.length > 1 ? await chooseAmong(found) : found.at(0);
  if (stored)
    await commands.executeCommand('deeptwist.openDashboard', stored.key, parameters.get('weight') ?? undefined);
  else if (found.length === 0)
    throw new UserError(l10n.t('No folder of this window has the run {0}.', shortLine(id, SHOWN)), {
      remedy: l10n.t('Open the folder in which it was trained, then the link again.'),
    });
}

/** Several where runs of the same name in different folders began in the same second. */
async function runsWithId(store: Services['store'], id: string): Promise<StoredRun[]> {
  const folders = [...new Set((await store.experiments()).map(({ runsFolder }) => runsFolder))];
  const found = await Promise.all(
    folders.map(async (folder) => ((await listRunIds(folder)).includes(id) ? store.get(join(folder, id)) : undefined)),
  );
  return found.filter((run) => run !== undefined);
}
