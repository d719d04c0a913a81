/** @file The columns of the table that an experiment file names. */
import type { SettingPath } from '../protocol/experiment/settingPath.ts';
import type { ExperimentDocument, Surroundings } from './experimentDocument.ts';
import { textAt, valueAt } from './writtenSettings.ts';

/** Their names, in the order of the table; empty where the data are none, or not known. */
export function tableColumns(document: ExperimentDocument, surroundings: Surroundings): readonly string[] {
  if (textAt(document, ['data', 'type']) !== 'table') return [];
  const path = textAt(document, ['data', 'path']) ?? textAt(document, ['data', 'files', 'train']);
  if (path === undefined || path === '') return [];
  return surroundings.columns(path, {
    delimiter: textAt(document, ['data', 'delimiter']),
    header: valueAt(document, ['data', 'header']) !== false,
  });
}

/** True for a setting that names a column by its value. */
export function namesColumn(path: SettingPath): boolean {
  const [section, setting, index, ...inner] = path;
  if (section !== 'data' || inner.length > 0) return false;
  return (setting === 'target' && index === undefined) || (setting === 'columns' && typeof index === 'number');
}

/** True for the table whose keys are columns. */
export function hasColumnKeys(path: SettingPath): boolean {
  return path.join('/') === 'data/kinds';
}
