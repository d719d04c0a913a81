/** @file A model that cannot be made: its module throws, or its file is damaged. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { codePlaceIn, withoutCodePlace } from '../../protocol/codePlace.ts';
import { moduleOf } from '../../protocol/model/modelExports.ts';
import { inOneLine } from '../../protocol/userError.ts';
import { modelSourceOf } from '../../runs/storedDescriptions.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { finding, type Finding } from './finding.ts';

export function modelFindings(document: ExperimentDocument, { modelProblem, exists }: Surroundings): Finding[] {
  if (modelProblem === undefined) return [];
  const module = moduleOf(modelSourceOf(document.settings)?.model);
  if (module !== undefined && !exists(module)) return []; // The finding about paths says so.
  const cause = codePlaceIn(modelProblem.message);
  const message = cause ? withoutCodePlace(modelProblem.message, cause) : modelProblem.message;
  return [
    finding(
      document,
      { path: ['model'] },
      {
        severity: DiagnosticSeverity.Error,
        code: 'model-fails',
        message: inOneLine({ ...modelProblem, message }),
        cause,
      },
    ),
  ];
}
