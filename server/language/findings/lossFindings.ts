/** @file A model that brings no loss, in an experiment that names none; and a loss of classes where the targets are numbers. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { firstLosses, targetKindOf, type FirstLosses } from '../../protocol/experiment/firstLoss.ts';
import { classLosses, isClassLoss, isLoss, lossFacts, type LossId } from '../../protocol/experiment/lossFacts.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { recordAt, valueAt } from '../writtenSettings.ts';
import { finding, type Finding } from './finding.ts';
import { setTo } from './fixes.ts';

const SETTING = ['training', 'loss'];
/** What fits targets that are numbers, the most usual first. */
const NUMERIC: readonly LossId[] = ['mean-squared-error', 'mean-absolute-error', 'huber'];

export function lossFindings(document: ExperimentDocument, { model }: Surroundings): Finding[] {
  return [...lossOfNumbers(document), ...missingLoss(document, model)];
}

/** A loss of classes beside data whose targets are numbers: a run fails, or learns the numbers as those of classes. */
function lossOfNumbers(document: ExperimentDocument): Finding[] {
  const written = valueAt(document, SETTING);
  if (!isLoss(written) || !isClassLoss(written)) return [];
  if (targetKindOf(recordAt(document, ['data'])) !== 'numbers') return [];
  return [
    finding(
      document,
      { path: SETTING, at: 'value' },
      {
        severity: DiagnosticSeverity.Warning,
        code: 'loss-of-classes',
        message: `"${written}" is a loss of classes, and the targets of a regression are numbers; "mean-squared-error" fits them`,
        fixes: NUMERIC.map((loss) => setTo(document, SETTING, loss)),
      },
    ),
  ];
}

function missingLoss(document: ExperimentDocument, model: Surroundings['model']): Finding[] {
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
