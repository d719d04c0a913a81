/** @file The columns of the table that an experiment file names. */
import type { SettingPath } from '../protocol/experiment/settingPath.ts';
import type { ExperimentDocument, Surroundings } from './experimentDocument.ts';
import { textAt, valueAt } from './writtenSettings.ts';

/** Their names, in the order of the table; empty where the data are none, or not known. */
export function tableColumns(document: ExperimentDocument, surroundings: Surroundings): readonly string[] {
  if (textAt(document, ['data', 'type']) !== 'table') return [];
  const path = textAt(document, ['data', 'path']) ?? textAt(document, ['data', 'files', 'train']);
  if (path === undefined || path === '') return [];
  const decimal = textAt(document, ['data', 'decimal']);
  return surroundings.columns(path, {
    delimiter: textAt(document, ['data', 'delimiter']),
    decimal: decimal === ',' ? decimal : '.',
    header: valueAt(document, ['data', 'header']) !== false,
  });
}

/** True for a setting that names a column by its value: the target, or one of a list of inputs. */
export function namesColumn(path: SettingPath): boolean {
  return path.join('/') === 'data/target' || listOfColumn(path) !== undefined;
}

/** The list that names a column: all inputs, or those of one input of the model. */
export function listOfColumn(path: SettingPath): SettingPath | undefined {
  const [section, setting] = path;
  const list = path.slice(0, -1);
  if (section !== 'data' || typeof path.at(-1) !== 'number') return undefined;
  return (setting === 'columns' && list.length === 2) || (setting === 'inputs' && list.length === 3) ? list : undefined;
}

/** True for the table whose keys are columns. */
export function hasColumnKeys(path: SettingPath): boolean {
  return path.join('/') === 'data/kinds';
}
