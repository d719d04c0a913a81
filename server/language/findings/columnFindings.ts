/** @file Columns that a table does not have. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { didYouMean } from '../../protocol/experiment/didYouMean.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { tableColumns } from '../tableColumns.ts';
import { recordAt, textAt, valueAt } from '../writtenSettings.ts';
import { finding, type Finding } from './finding.ts';
import { rename, setTo } from './fixes.ts';

/** Names that are looked up: a nearest name takes long to find. */
const MOST_CHECKED = 200;

export function columnFindings(document: ExperimentDocument, surroundings: Surroundings): Finding[] {
  const known = tableColumns(document, surroundings);
  if (known.length === 0) return [];
  const groups = Object.keys(recordAt(document, ['data', 'inputs'])).map((name) => ['data', 'inputs', name]);
  const inputs = [['data', 'columns'], ...groups].flatMap((list): SettingPath[] => {
    const columns = valueAt(document, list);
    return Array.isArray(columns) ? columns.map((_, index) => [...list, index]) : [];
  });
  const named: SettingPath[] = [['data', 'target'], ...inputs.slice(0, MOST_CHECKED)];
  const keys = Object.keys(recordAt(document, ['data', 'kinds']))
    .slice(0, MOST_CHECKED)
    .map((name) => ['data', 'kinds', name]);
  const check = (name: string | undefined, path: SettingPath, at: 'key' | 'value'): Finding[] => {
    if (name === undefined || known.includes(name)) return [];
    const meant = didYouMean(name, known);
    const hint = meant === undefined ? `there are ${known.slice(0, 8).join(', ')}` : `did you mean "${meant}"?`;
    return [
      finding(
        document,
        { path, at },
        {
          severity: DiagnosticSeverity.Error,
          code: 'no-such-column',
          message: `the table has no column of this name; ${hint}`,
          fixes:
            meant === undefined ? [] : at === 'key' ? rename(document, path, meant) : [setTo(document, path, meant)],
        },
      ),
    ];
  };
  return [
    ...named.flatMap((path) => check(textAt(document, path), path, 'value')),
    ...keys.flatMap((path) => check(path[2], path, 'key')),
  ];
}
