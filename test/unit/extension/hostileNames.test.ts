/** Names of a folder that somebody else made, in what the extension draws as Markdown. */
import { describe, expect, test } from 'vitest';
import { layerHover } from '../../../extension/weightsInCode/layerHover.ts';
import { runTooltip } from '../../../extension/experiments/runTooltip.ts';
import type { RunSummary } from '../../../server/protocol/wire/dashboard.ts';
import { activeMarkdown, HARMFUL, hostileNames } from '../protocol/activeMarkdown.ts';
import { l10n, measuredWeight } from './weightsInCode/editorFixture.ts';

describe.each(hostileNames)('%j', (name) => {
  test('in the tooltip of a run', () => {
    const summary: RunSummary = {
      key: `/home/${name}`,
      id: name,
      name,
      experiment: name,
      overrides: [`a=${name}`],
      state: 'failed',
      created: 0,
      result: { metric: name, test: 0.5, byteRatio: 2 },
      failure: { message: name, remedy: name },
    };
    const markdown = runTooltip(
      l10n,
      { summary, liveState: undefined, lastEvaluation: { metric: name, value: 0.5 } },
      { state: 'failed', locale: 'en' },
    );
    expect(activeMarkdown(markdown)).not.toMatch(HARMFUL);
  });

  test('in the hover of a layer', () => {
    const call = { kind: 'dense', start: 0, end: 10 };
    const run = { key: `/home/${name}`, id: name, live: false };
    const distortion = { step: 10, setting: { rate: 0.9 }, zeros: 180 };
    const appearance = { background: 'dark', highContrast: false, changed: false } as const;
    for (const weights of [[measuredWeight(name, [distortion])], [measuredWeight(name)]]) {
      const markdown = layerHover(l10n, { call, weights, several: true }, run, appearance);
      const ours = markdown
        .replace(/!\[(.*)\]\(data:image\/svg\+xml;base64,[\w+/=]+\|width=\d+,height=\d+\)/, '$1')
        .replace(/\[(.*)\]\(command:deeptwist\.openDashboard\?[^()\s]* "Open Dashboard"\)/, '$1');
      expect(activeMarkdown(ours)).not.toMatch(HARMFUL);
    }
  });
});
