/** @file What is seen in the first lines of a table. */
import type { TableFacts } from '../protocol/wire/proposals.ts';

const BYTE_ORDER_MARK = /^\uFEFF/;
const DELIMITERS = [',', ';', '\t', '|'];
/** Names that tables of machine learning give the column to be told. */
const TARGET = /^(target|label|labels|class|classes|category|species|outcome|y)$/i;
/** Columns of numbers with fewer different whole ones are classes. */
const MOST_CLASSES = 20;
/** Rows from which on it is seen that texts do not repeat. */
const FEW_ROWS = 20;
/** Texts that stand for a missing value. */
const MISSING = new Set(['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL', '?']);

/**
 * The column that the model is to tell, and what it is, of a CSV file.
 * @param text the beginning of the file, of which the last line may be cut
 * @returns undefined for a first line without delimiters, or without a name for the target
 */
export function readTable(text: string): TableFacts | undefined {
  const lines = text.replace(BYTE_ORDER_MARK, '').split(/\r?\n|\r/);
  const delimiter = delimiterOf(lines[0]);
  if (delimiter === undefined) return undefined;
  const names = cellsOf(lines[0], delimiter);
  const rows = lines
    .slice(1, -1)
    .filter((line) => line.trim() !== '')
    .map((line) => cellsOf(line, delimiter));
  const known = names.findIndex((name) => TARGET.test(name));
  const column = known < 0 ? names.length - 1 : known;
  if (names[column] === '') return undefined;
  const valuesOf = (index: number) => rows.map((row) => row[index] ?? '').filter((value) => !MISSING.has(value));
  const target = valuesOf(column);
  const different = new Set(target).size;
  const isRegression =
    target.length > 0 &&
    target.every(isNumber) &&
    (different > MOST_CLASSES || target.some((value) => !Number.isInteger(Number(value))));
  const others = names.map((name, index) => ({ name, values: valuesOf(index) })).filter((_, index) => index !== column);
  const isTexts = (values: readonly string[]) => !values.every(isNumber);
  const ignored = others.filter(
    ({ values }) => isTexts(values) && values.length >= FEW_ROWS && new Set(values).size > values.length / 2,
  );
  const taken = others.filter((other) => !ignored.includes(other));
  const isKnown = rows.length > 0 && !taken.some(({ values }) => isTexts(values));
  return {
    target: names[column],
    task: isRegression ? 'regression' : 'classification',
    ...(!isRegression && different > 0 && { classes: different }),
    ignored: ignored.map(({ name }) => name),
    ...(isKnown && { inputs: taken.length }),
  };
}

function isNumber(text: string): boolean {
  return Number.isFinite(Number(text));
}

/** The most frequent one, outside of quotes; undefined where there is none. */
function delimiterOf(line: string): string | undefined {
  const bare = line.replace(/"(?:[^"]|"")*"/g, '');
  const counts = DELIMITERS.map((delimiter) => bare.split(delimiter).length - 1);
  const most = Math.max(...counts);
  return most === 0 ? undefined : DELIMITERS[counts.indexOf(most)];
}

/** Values of a line, without quotes and the white space around them. */
function cellsOf(line: string, delimiter: string): string[] {
  const cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (const sign of line) {
    if (sign === '"') isQuoted = !isQuoted;
    if (sign === delimiter && !isQuoted) {
      cells.push(cell);
      cell = '';
    } else {
      cell += sign;
    }
  }
  return [...cells, cell].map((text) => {
    const bare = text.trim();
    return /^"(.*)"$/.exec(bare)?.[1].replaceAll('""', '"') ?? bare;
  });
}
