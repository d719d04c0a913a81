/** @file Values of one column as they are read from a table: what they are shows when all are known. */
import { didYouMean } from '../../protocol/experiment/didYouMean.ts';
import type { DataConfig } from '../../protocol/experiment/schema.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { formatSettingPath, type SettingPath } from '../../protocol/experiment/settingPath.ts';
import { UserError } from '../../protocol/userError.ts';

export type TableConfig = Extract<DataConfig, { type: 'table' }>;

export interface NumberColumn {
  readonly kind: 'number';
  readonly name: string;
  /** NaN where one is missing. */
  readonly values: Float64Array;
}

export interface CategoryColumn {
  readonly kind: 'category';
  readonly name: string;
  /** By row, an index of {@link texts}; -1 where it is missing. */
  readonly codes: Int32Array;
  readonly texts: readonly string[];
  /** By text, the place of the first row that has it. */
  readonly places: readonly number[];
}

export type TableColumn = NumberColumn | CategoryColumn;

export interface ColumnOptions {
  readonly name: string;
  /** Its file, for messages. */
  readonly path: string;
  /** A line of a CSV file, or a row. */
  readonly unit: 'line' | 'row';
  /** What it is to be; undefined where its values tell. */
  readonly kind: TableColumn['kind'] | undefined;
  /** Setting that says so, for messages: of the target, another one than of the inputs. */
  readonly setting: SettingPath;
  /** True where all its values are texts by the file's own words, so that digits in them are no number. */
  readonly isText: boolean;
  readonly decimal: '.' | ',';
  /** By what it is, true where values may be missing. */
  readonly mayLack: Readonly<Record<TableColumn['kind'], boolean>>;
}

/** Categories of a column at most; each different text of a column that may yet be one is kept. */
const MOST_CATEGORIES = 2 ** 16;
/** A column of more different texts is taken for one of names or notes, unless the experiment says that they are categories. */
const MOST_FOUND_CATEGORIES = 1000;
/** Rows from which on a column of texts that hardly repeat is taken for names, too. */
const FEW_ROWS = 20;
/** Characters of a value that a message shows. */
const SHOWN = 40;

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** Bytes that a value takes while it is not known whether it is a number or a category. */
export const BYTES_PER_VALUE = Float64Array.BYTES_PER_ELEMENT + Int32Array.BYTES_PER_ELEMENT;

export class ColumnReader {
  readonly name: string;
  readonly #options: ColumnOptions;
  /** Undefined once it cannot be a column of numbers. */
  #numbers: Growing<Float64Array> | undefined;
  /** Undefined once it cannot be one of categories. */
  #codes: Growing<Int32Array> | undefined;
  readonly #texts = new Map<string, number>();
  readonly #places: number[] = [];
  #rows = 0;
  #missing = 0;
  #firstMissing = 0;
  /** Values that are no numbers. */
  #words = 0;
  #firstWord: { readonly text: string; readonly place: number } | undefined;

  constructor(options: ColumnOptions) {
    this.name = options.name;
    this.#options = options;
    if (options.kind !== 'category' && !(options.isText && options.kind === undefined))
      this.#numbers = new Growing(Float64Array);
    if (options.kind !== 'number') this.#codes = new Growing(Int32Array);
  }

  /**
   * @param value undefined where it is missing; so is an empty text
   * @param place the line or the row that has it, from 1
   * @throws UserError when it cannot be a value of the column
   */
  add(value: string | number | undefined, place: number): void {
    this.#rows++;
    if (value === undefined || value === '') {
      if (this.#missing++ === 0) this.#firstMissing = place;
      this.#numbers?.push(NaN);
      this.#codes?.push(-1);
      return;
    }
    if (this.#numbers !== undefined) this.#addNumber(value, place, this.#numbers);
    if (this.#codes !== undefined) this.#addText(String(value), place, this.#codes);
  }

  /** @throws SettingError or UserError when the values do not tell what the column is */
  column(): TableColumn {
    const { name } = this;
    const { kind, path, mayLack } = this.#options;
    const checkMissing = (found: TableColumn['kind']) => {
      if (this.#missing > 0 && !mayLack[found]) throw this.#missingValue(this.#firstMissing);
    };
    if (this.#missing === this.#rows && kind === undefined)
      throw new SettingError(this.#options.setting, `column '${name}' of ${path} has no value`, {
        remedy: this.#ignore(),
      });
    if (this.#numbers !== undefined) {
      checkMissing('number');
      return { kind: 'number', name, values: this.#numbers.elements() };
    }
    if (this.#codes === undefined) throw this.#noCategories(`more than ${MOST_CATEGORIES}`);
    if (kind === undefined && !this.#isFoundCategory()) throw this.#noCategories(String(this.#texts.size));
    checkMissing('category');
    return {
      kind: 'category',
      name,
      codes: this.#codes.elements(),
      texts: [...this.#texts.keys()],
      places: this.#places,
    };
  }

  #addNumber(value: string | number, place: number, numbers: Growing<Float64Array>): void {
    const number = typeof value === 'number' ? value : numberOf(value, this.#options.decimal);
    if (number !== undefined && Number.isFinite(Math.fround(number))) {
      numbers.push(number);
      return;
    }
    if (this.#options.kind === 'number') throw this.#noNumber(String(value), place);
    this.#firstWord = { text: String(value), place };
    this.#numbers = undefined;
  }

  #addText(text: string, place: number, codes: Growing<Int32Array>): void {
    if (this.#firstWord !== undefined && numberOf(text, this.#options.decimal) === undefined) this.#words++;
    let code = this.#texts.get(text);
    if (code === undefined) {
      code = this.#texts.size;
      if (code === MOST_CATEGORIES) {
        this.#codes = undefined;
        this.#texts.clear();
        if (this.#numbers === undefined) throw this.#noCategories(`more than ${MOST_CATEGORIES}`);
        return;
      }
      this.#texts.set(text, code);
      this.#places.push(place);
    }
    codes.push(code);
  }

  /** A few texts among numbers are errors, and texts that hardly repeat are no categories. */
  #isFoundCategory(): boolean {
    const values = this.#rows - this.#missing;
    const different = this.#texts.size;
    if (this.#firstWord !== undefined && this.#words <= values / 2) return false;
    return different <= MOST_FOUND_CATEGORIES && (values < FEW_ROWS || different <= values / 2);
  }

  /** @param count of its different texts */
  #noCategories(count: string): UserError {
    const values = this.#rows - this.#missing;
    return this.#firstWord !== undefined && this.#words <= values / 2
      ? this.#noNumber(this.#firstWord.text, this.#firstWord.place, values - this.#words)
      : this.#tooMany(count);
  }

  #noNumber(text: string, place: number, others?: number): UserError {
    const { unit, path, setting, kind } = this.#options;
    const also = others === undefined ? '' : `, and ${others} other values are`;
    const isInput = setting[1] === 'kinds';
    const category = kind === undefined ? `, or set ${this.#kindSetting()} to "category"` : '';
    return new UserError(
      `${path}, ${unit} ${place}: column '${this.name}' has '${shown(text)}', which is no number${also}.`,
      {
        remedy: isInput
          ? `Correct it${category === '' ? ', or' : ','} add it to data.missing.values where it stands for none${category}.`
          : 'Correct it, or set data.task to "classification" where the column has classes.',
      },
    );
  }

  #tooMany(count: string): SettingError {
    const { path, kind, setting } = this.#options;
    const asCategory = kind === undefined ? `, or to "category" where they are categories` : '';
    return new SettingError(setting, `column '${this.name}' of ${path} has ${count} different texts`, {
      remedy:
        setting[1] === 'kinds'
          ? `Set ${this.#kindSetting()} to "ignored"${asCategory}.`
          : 'Name a column of classes, or set data.task to "regression".',
    });
  }

  #missingValue(place: number): UserError {
    const { unit, path, setting } = this.#options;
    const remedy =
      setting[1] === 'kinds'
        ? 'Write a value, or say in data.missing how it is replaced.'
        : 'Write a value, or leave the row out: nothing can be learnt from a row without a target.';
    return new UserError(`${path}, ${unit} ${place}: column '${this.name}' has no value.`, { remedy });
  }

  #ignore(): string {
    return this.#options.setting[1] === 'kinds'
      ? `Set ${this.#kindSetting()} to "ignored".`
      : 'Name a column that has values.';
  }

  #kindSetting(): string {
    return formatSettingPath(['data', 'kinds', this.name]);
  }
}

/** Undefined for a text that is no number. With commas before decimals, 1.500 may be meant as 1500: it is none. */
export function numberOf(text: string, decimal: '.' | ','): number | undefined {
  if (decimal === ',' && text.includes('.')) return undefined;
  const plain = text.replace(decimal, '.');
  return NUMBER.test(plain) ? Number(plain) : undefined;
}

export function shown(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN - 1)}…` : text;
}

/** @throws SettingError when there is no such column, with the name that may be meant */
export function checkColumn(name: string, names: readonly string[], path: string, setting: SettingPath): void {
  if (names.includes(name)) return;
  throw new SettingError(setting, noColumn(name, names, path), {
    at: setting[1] === 'kinds' ? 'key' : 'value',
    remedy: 'Name a column of the table. A CSV file whose first line has values and no names needs "header": false.',
  });
}

/** What is wrong with a name that no column has, with the one that may be meant. */
export function noColumn(name: string, names: readonly string[], path: string): string {
  const meant = didYouMean(name, names);
  const listed = `${names.slice(0, 8).join(', ')}${names.length > 8 ? `, … (${names.length})` : ''}`;
  const hint = meant === undefined ? `, but ${listed}` : `; did you mean '${meant}'?`;
  return `${path} has no column '${shown(name)}'${hint}`;
}

type Numbers = Float64Array | Int32Array;

/** Numbers whose count is not known. */
class Growing<T extends Numbers> {
  static readonly #PART = 2 ** 16;
  readonly #make: new (length: number) => T;
  readonly #parts: T[] = [];
  #length = 0;

  constructor(make: new (length: number) => T) {
    this.#make = make;
  }

  push(value: number): void {
    const at = this.#length++ % Growing.#PART;
    if (at === 0) this.#parts.push(new this.#make(Growing.#PART));
    this.#parts[this.#parts.length - 1][at] = value;
  }

  elements(): T {
    const all = new this.#make(this.#length);
    this.#parts.forEach((part, i) =>
      all.set(part.subarray(0, this.#length - i * Growing.#PART) as never, i * Growing.#PART),
    );
    return all;
  }
}
