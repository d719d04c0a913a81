/** @file What a run came to, in the display language. */
import { l10n } from 'vscode';
import { resultText } from '../../server/protocol/run/resultText.ts';

/** `98.20% · 46.1x`; of a run whose compressed model is in no file: `98.20% · would be 46.1x`. */
export function runResultText(summary: Parameters<typeof resultText>[0]): string | undefined {
  return resultText(summary, (ratio) => l10n.t('would be {0}', ratio));
}
