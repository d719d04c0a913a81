/** @file A model that brings no loss, in an experiment that names none. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { firstLosses, targetKindOf, type FirstLosses } from '../../protocol/experiment/firstLoss.ts';
import { classLosses, lossFacts, type LossId } from '../../protocol/experiment/lossFacts.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { recordAt, valueAt } from '../writtenSettings.ts';
import { finding, type Finding } from './finding.ts';
import { setTo } from './fixes.ts';

const SETTING = ['training', 'loss'];

export function lossFindings(document: ExperimentDocument, { model }: Surroundings): Finding[] {
  if (model?.hasLoss !== false || !document.json.has(['training'])) return [];
  const written = valueAt(document, SETTING);
  if (written !== undefined && written !== 'auto') return [];
  const meant = firstLosses(model.outputs, targetKindOf(recordAt(document, ['data'])));
  return [
    finding(
      document,
      { path: written === undefined ? ['training'] : SETTING, at: written === undefined ? 'key' : 'value' },
      {
        severity: DiagnosticSeverity.Error,
        code: 'no-loss',
        message: `the model brings no loss, and none is set; "loss": ${JSON.stringify(meant)} fits its outputs`,
        fixes: [meant, ...alternatives(meant)].map((loss) => setTo(document, SETTING, loss)),
      },
    ),
  ];
}

/** What fits other targets than those that are supposed. */
function alternatives(meant: FirstLosses): LossId[] {
  if (typeof meant !== 'string') return [];
  const { outputs } = lossFacts[meant];
  const ofClasses = classLosses.filter((loss) => loss !== meant && lossFacts[loss].outputs === outputs);
  return meant === 'mean-squared-error' ? ['mean-absolute-error'] : [...ofClasses, 'mean-squared-error'];
}
