/**
 * @file An open experiment file as the features of the language server see it: its text, what the text means, and what is
 * known around it. Features are functions of these two, without a connection and without a disk.
 */
import type { Range, TextDocument } from 'vscode-languageserver-textdocument';
import type { CsvSettings } from '../formats/csv/csvForm.ts';
import type { ExperimentSettings } from '../protocol/experiment/schema.ts';
import { JsonText, type TextRange } from '../protocol/experiment/jsonText.ts';
import type { ModelDescription } from '../protocol/model/modelDescription.ts';
import { checkWithSweep } from '../protocol/experiment/checkSweep.ts';
import type { Problem } from '../protocol/experiment/problem.ts';
import type { ModelProblem } from '../protocol/wire/describeModel.ts';
import type { ObservedState } from '../runs/run.ts';
import type { RunRecord } from '../runs/runRecord.ts';

/** One version of a document; everything is computed when it is first asked for, and kept. */
export class ExperimentDocument {
  readonly text: TextDocument;
  #json: JsonText | undefined;
  #settings: { readonly value: unknown } | undefined;
  #checked: { experiment?: ExperimentSettings; problems: Problem[] } | undefined;

  constructor(text: TextDocument) {
    this.text = text;
  }

  get json(): JsonText {
    return (this.#json ??= new JsonText(this.text.getText()));
  }

  /** The settings as they stand in the text, right or wrong. */
  get settings(): unknown {
    return (this.#settings ??= { value: this.json.value() }).value;
  }

  /** The settings with their defaults; undefined while something is wrong with them. */
  get experiment(): ExperimentSettings | undefined {
    return this.checked.experiment;
  }

  get checked(): { experiment?: ExperimentSettings; problems: Problem[] } {
    return (this.#checked ??= checkWithSweep(this.json));
  }

  rangeOf({ start, end }: TextRange): Range {
    return { start: this.text.positionAt(start), end: this.text.positionAt(end) };
  }
}

/** What is known around an experiment file when a feature is asked. */
export interface Surroundings {
  /** Undefined where the model has not been described, or its files have changed since. */
  readonly model: ModelDescription | undefined;
  /** Why the model cannot be made, as far as the editor has tried. */
  readonly modelProblem?: ModelProblem | undefined;
  /** The model's own file, where it is one; the editor's text of it where it is open. */
  readonly modelText: { readonly uri: string; readonly text: string } | undefined;
  /** Folder of the run or of the sweep whose copy the document is; undefined for a file that can be run. */
  readonly keptIn?: string | undefined;
  /** Runs of this experiment file, newest first. */
  readonly runs: readonly KnownRun[];
  /** Runs of other experiments of the workspace folder that this one could start from, newest first. */
  readonly others: readonly KnownRun[];
  /** Cores of the machine that trains. */
  readonly cores: number;
  /** True if a path, relative to the experiment file, exists. */
  exists(path: string): boolean;
  /** Entries of a folder, relative to the experiment file, folders with `/` at the end; empty where there is none. */
  entries(path: string): readonly string[];
  /** Names of the columns of a CSV file, relative to the experiment file; empty where there is none, or another file. */
  columns(path: string, settings: CsvSettings): readonly string[];
}

export interface KnownRun {
  readonly record: RunRecord;
  /** Its folder, absolute. */
  readonly path: string;
  /** A run whose process is gone is interrupted, whatever its record says. */
  readonly state: ObservedState;
  /** Steps done, where its log tells; read anew each time, since the run may train. */
  step?(): Promise<number | undefined>;
  /** Its experiment text, as it was started. */
  readonly text: string | undefined;
  /** The weights of its model; undefined where its log does not tell. */
  readonly weights?: readonly { readonly name: string; readonly shape: readonly number[] }[] | undefined;
}
