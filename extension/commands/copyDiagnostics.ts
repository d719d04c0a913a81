/** @file What a bug report needs: versions, settings and the last lines of the log of each run; no file of the user's. */
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { env, l10n, version, window, workspace } from 'vscode';
import { formatBytes } from '../../server/protocol/formatQuantity.ts';
import { readLogTail } from '../../server/sidecarClient/startSidecar.ts';
import type { Services } from '../services.ts';

/** The newest runs that are told of. */
const RUNS = 3;

export async function copyDiagnostics({ context, store }: Services): Promise<void> {
  const { version: own } = context.extension.packageJSON as { version: string };
  const settings = workspace.getConfiguration('deeptwist');
  const lines = [
    `DeepTwist ${own}, VS Code ${version} (${env.appName}, ${env.remoteName ?? 'local'}), Node ${process.versions.node}`,
    `${platform()} ${release()} ${arch()}, ${cpus().length} x ${cpus()[0]?.model ?? 'processor'}, ${formatBytes(totalmem())}`,
    `Workspace trusted: ${workspace.isTrusted}; folders: ${workspace.workspaceFolders?.length ?? 0}`,
    `Settings: ${JSON.stringify(settings)}`,
  ];
  for (const { run, summary } of await store.newest(RUNS)) {
    lines.push('', `${summary.id}: ${summary.state}${summary.failure ? `, ${summary.failure.message}` : ''}`);
    lines.push(await readLogTail(run));
  }
  await env.clipboard.writeText(lines.join('\n').trimEnd() + '\n');
  window.setStatusBarMessage(l10n.t('Diagnostics copied'), 5000);
}
