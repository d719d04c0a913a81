/** @file What a run came to, in the display language. */
import { l10n } from 'vscode';
import { resultText } from '../../server/protocol/run/resultText.ts';

/** `accuracy 98.20% · 46.1x smaller`; of a run whose compressed model is in no file: `would be 46.1x smaller`. */
export function runResultText(summary: Parameters<typeof resultText>[0]): string | undefined {
  return resultText(summary, {
    smaller: (ratio) => l10n.t('{0} smaller', ratio),
    wouldBeSmaller: (ratio) => l10n.t('would be {0} smaller', ratio),
  });
}
