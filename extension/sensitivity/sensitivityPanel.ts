/** @file The page of a sensitivity report, beside the code: one for each run or experiment that was measured. */
import { basename } from 'node:path';
import { ViewColumn, l10n, window, type WebviewPanel } from 'vscode';
import * as z from 'zod';
import { experimentName } from '../../server/runs/run.ts';
import type { SensitivityReport } from '../../server/protocol/run/sensitivityReport.ts';
import type { FromSensitivityPage, ToSensitivityPage } from '../../server/protocol/wire/sensitivity.ts';
import { reportError } from '../messages.ts';
import { pageHtml, pageOptions, panelIcon } from '../page/pageHtml.ts';
import { pageMessages } from '../page/pageMessages.ts';
import { saveChart } from '../page/saveChart.ts';
import { writeExperiment } from '../runs/writeExperiment.ts';
import type { Services } from '../services.ts';

const messageSchema: z.ZodType<FromSensitivityPage> = z.union([
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('use'), startFromRun: z.boolean() }),
  ...pageMessages,
]);

/** By what was measured. */
const open = new Map<string, { readonly panel: WebviewPanel; show(report: SensitivityReport): void }>();

/** Shows a report; one of the same run or experiment that is shown already is replaced. */
export function showSensitivity(services: Services, measured: string, report: SensitivityReport): void {
  const shown = open.get(measured);
  if (shown) {
    shown.show(report);
    shown.panel.reveal(undefined, true);
    return;
  }
  const name = report.run ?? experimentName(report.experiment);
  const column = { viewColumn: ViewColumn.Beside, preserveFocus: true };
  const panel = window.createWebviewPanel('deeptwist.sensitivity', l10n.t('Sensitivity of {0}', name), column, {
    retainContextWhenHidden: true,
  });
  const { extensionUri } = services.context;
  panel.iconPath = panelIcon(extensionUri);
  let current = report;
  const tell = () =>
    void panel.webview.postMessage({ type: 'report', report: current, name } satisfies ToSensitivityPage);
  panel.webview.options = pageOptions(extensionUri);
  panel.webview.onDidReceiveMessage((received: unknown) => {
    const message = messageSchema.safeParse(received).data;
    if (message?.type === 'ready') tell();
    else if (message) perform(message, current, services).catch((error: unknown) => reportError(error, services.log));
  });
  panel.onDidDispose(() => open.delete(measured));
  open.set(measured, {
    panel,
    show(next) {
      current = next;
      tell();
    },
  });
  panel.webview.html = pageHtml(panel.webview, extensionUri, { bundle: 'sensitivity', title: panel.title });
}

async function perform(
  message: Exclude<FromSensitivityPage, { type: 'ready' }>,
  { suggestion, experiment, run }: SensitivityReport,
  { context, log }: Services,
): Promise<void> {
  switch (message.type) {
    case 'use': {
      if (!suggestion?.compression) return;
      const startsFrom = message.startFromRun && run !== undefined;
      const name = basename(experiment);
      const isChanged = await writeExperiment(experiment, [
        { path: ['compression'], value: suggestion.compression },
        ...(startsFrom ? [{ path: ['start'], value: `run:${run}` }] : []),
      ]);
      const text = isChanged
        ? l10n.t('{0} has the suggested settings', name)
        : l10n.t('{0} had these settings already', name);
      window.setStatusBarMessage(text, 5000);
      return;
    }
    case 'save':
      return saveChart(message, context.workspaceState);
    case 'error':
      log.error(`${experiment}: ${message.message}`);
  }
}
