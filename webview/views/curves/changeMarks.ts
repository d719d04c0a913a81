/** @file Changes of settings while the run trained, as marks on the charts of the Curves view. Pure. */
import * as l10n from '@vscode/l10n';
import type { RunSnapshot } from '../../../server/protocol/run/runHistory.ts';
import { valueText } from '../../../server/protocol/experiment/settingChanges.ts';
import type { Reference } from '../../charts/model/content.ts';
import type { RunAxis } from './axes.ts';

/** A line at each change, with what was changed; of several settings, the first and how many more. */
export function changeMarks({ changes }: RunSnapshot, axis: RunAxis): Reference[] {
  return changes.map(({ step, time, settings: [first, ...others] }) => {
    const name = first.path.replace(/^(?:training|compression(?:\[\d+\])?)\.(?:layers\.|schedule\.|optimizer\.)?/, '');
    const change = `${name} ${valueText(first.from)} → ${valueText(first.to)}`;
    return {
      axis: 'x',
      value: axis.at(step, time),
      label: others.length === 0 ? change : l10n.t('{0} and {1} more', change, others.length),
    };
  });
}
