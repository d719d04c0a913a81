/** @file Changes of settings and removals of units while the run trained, as marks on the charts of the Curves view. Pure. */
import * as l10n from '@vscode/l10n';
import { formatCount } from '../../../server/protocol/formatQuantity.ts';
import type { RunSnapshot } from '../../../server/protocol/run/runHistory.ts';
import { valueText } from '../../../server/protocol/experiment/settingChanges.ts';
import type { Reference } from '../../charts/model/content.ts';
import type { RunAxis } from './axes.ts';

/** A line at each change of settings and of the model. */
export function changeMarks(snapshot: RunSnapshot, axis: RunAxis): Reference[] {
  return [...settingMarks(snapshot, axis), ...thinningMarks(snapshot, axis)];
}

/** With the weights of the model before and after, where units were removed. */
function thinningMarks({ thinnings }: RunSnapshot, axis: RunAxis): Reference[] {
  return thinnings
    .filter(({ parameters: { before, after } }) => after < before)
    .map(({ step, time, parameters: { before, after } }) => ({
      axis: 'x',
      value: axis.at(step, time),
      label: l10n.t('thinned: {0} → {1} weights', formatCount(before), formatCount(after)),
    }));
}

/** With what was changed; of several settings, the first and how many more. */
function settingMarks({ changes }: RunSnapshot, axis: RunAxis): Reference[] {
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
