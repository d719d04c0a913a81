/** @file What is seen in the first lines of a table. */
import { numberOf } from '../data/table/columnReader.ts';
import { csvForm, firstRows, wholeLines } from '../formats/csv/csvForm.ts';
import { FormatError } from '../formats/formatError.ts';
import { table } from '../protocol/experiment/schema/table.ts';
import type { TableFacts } from '../protocol/wire/proposals.ts';

/** Names that tables of machine learning give the column to be told. */
const TARGET = /^(target|label|labels|class|classes|category|species|outcome|y)$/i;
/** Columns of numbers with fewer different whole ones are classes. */
const MOST_CLASSES = 20;
/** Rows from which on it is seen that texts do not repeat. */
const FEW_ROWS = 20;
/** Numbers such as 1,500 and 1.500, which may be meant as 1500: they do not show what stands before decimals. */
const THOUSANDS = /^[+-]?[1-9]\d{0,2}([.,]\d{3})+$/;
/** Texts that stand for a missing value. */
const MISSING = new Set(table.shape.missing.parse(undefined).values);

/**
 * The column that the model is to tell, and what it is, of a CSV file.
 * @param text the beginning of the file, of which the last line may be cut
 * @returns undefined for what is no table of several columns, and for one without a name for the target
 */
export function readTable(text: string): TableFacts | undefined {
  const { delimiter, names, rows } = rowsOf(wholeLines(text));
  if (names.length < 2) return undefined;
  const known = names.findIndex((name) => TARGET.test(name));
  const column = known < 0 ? names.length - 1 : known;
  if (names[column] === '') return undefined;
  const decimal = decimalOf(rows);
  const isNumber = (value: string) => numberOf(value, decimal) !== undefined;
  const valuesOf = (index: number) => rows.map((row) => row[index] ?? '').filter((value) => !MISSING.has(value));
  const target = valuesOf(column);
  const different = new Set(target).size;
  const isRegression =
    target.length > 0 &&
    target.every(isNumber) &&
    (different > MOST_CLASSES || target.some((value) => !Number.isInteger(numberOf(value, decimal))));
  const others = names.map((name, index) => ({ name, values: valuesOf(index) })).filter((_, index) => index !== column);
  const isTexts = (values: readonly string[]) => !values.every(isNumber);
  const ignored = others.filter(
    ({ values }) => isTexts(values) && values.length >= FEW_ROWS && new Set(values).size > values.length / 2,
  );
  const taken = others.filter((other) => !ignored.includes(other));
  const isKnown = rows.length > 0 && !taken.some(({ values }) => isTexts(values));
  return {
    ...(decimal === ',' && { form: { decimal, ...(delimiter === ',' && { delimiter }) } }),
    target: names[column],
    task: isRegression ? 'regression' : 'classification',
    ...(!isRegression && different > 0 && { classes: different }),
    rows: rows.length,
    ignored: ignored.map(({ name }) => name),
    ...(isKnown && { inputs: taken.length }),
  };
}

/** What stands before the decimals of most numbers that show it. */
function decimalOf(rows: readonly string[][]): '.' | ',' {
  const values = rows.flat().filter((value) => !THOUSANDS.test(value));
  const count = (decimal: '.' | ',') =>
    values.filter((value) => value.includes(decimal) && numberOf(value, decimal) !== undefined).length;
  return count(',') > count('.') ? ',' : '.';
}

/** The rows of a CSV file below that of the names; none of what is no such file. */
function rowsOf(text: string): { delimiter?: string; names: string[]; rows: string[][] } {
  try {
    const { delimiter } = csvForm(text, true, { header: true });
    const [names = [], ...rows] = firstRows(text, delimiter);
    return { delimiter, names, rows };
  } catch (error) {
    if (error instanceof FormatError) return { names: [], rows: [] };
    throw error;
  }
}
