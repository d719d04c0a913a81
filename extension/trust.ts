/**
 * @file What is refused in Restricted Mode. What a folder says of its runs may be made up: which process trains one, where its
 * files are. `enablement` in package.json greys the commands out; one that is called by its name is refused here.
 */
import { l10n, workspace } from 'vscode';
import { NotTrusted } from './messages.ts';

/** Called before code of the workspace is executed. @throws UserError where the workspace is not trusted */
export function requireTrustToRun(): void {
  requireTrust(l10n.t('A run executes the code of this workspace, which is not trusted.'));
}

/** Called before a run is ended, controlled or deleted by what its folder says. @throws UserError where the workspace is not trusted */
export function requireTrustToChangeRuns(): void {
  requireTrust(l10n.t('In Restricted Mode you can view runs, but not control or delete them.'));
}

/** True where models may be described without being asked for: the code of their modules is executed. */
export function mayDescribeModels(): boolean {
  return workspace.isTrusted && workspace.getConfiguration('deeptwist').get<boolean>('describeModels', true);
}

function requireTrust(reason: string): void {
  if (workspace.isTrusted) return;
  throw new NotTrusted(reason, {
    remedy: l10n.t('Trust the workspace (Workspaces: Manage Workspace Trust), then do it again.'),
  });
}
