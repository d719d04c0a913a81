/** @file Something wrong or doubtful in an experiment file, at its place, with the remedies that an editor can apply. */
import type { DiagnosticSeverity } from 'vscode-languageserver/node';
import type { Target } from '../../compression/targets/targets.ts';
import type { DescribedWeight } from '../../protocol/model/modelDescription.ts';
import { rangeOf } from '../../protocol/experiment/problem.ts';
import { formatSettingPath, type SettingPath } from '../../protocol/experiment/settingPath.ts';
import type { TextRange } from '../../protocol/experiment/jsonText.ts';
import type { CodePlace } from '../../protocol/codePlace.ts';
import type { ExperimentDocument } from '../experimentDocument.ts';

/** Only the first so many problems of a file are shown: an editor would draw more for seconds, and nobody reads them. */
export const MOST_FINDINGS = 500;

export interface Finding {
  readonly range: TextRange;
  readonly severity: DiagnosticSeverity;
  readonly code: string;
  readonly message: string;
  /** The place in another file that the problem comes from. */
  readonly cause?: CodePlace | undefined;
  /** Each alone mends it; the first is preferred. */
  readonly fixes?: readonly Fix[];
}

/** Made only when it is asked for. */
export interface Fix {
  /** What it does, as in a menu: `Change to "fc1"`. */
  readonly title: string;
  readonly edits: () => TextChange[];
}

export interface TextChange {
  readonly range: TextRange;
  readonly newText: string;
}

/** A weight that is compressed, and what stands in the file for it. */
export type LayerTarget = Target<unknown, DescribedWeight>;

/** A finding about a setting. The message begins with its name, as on the command line. */
export function finding(
  document: ExperimentDocument,
  { path, at = 'value' }: { path: SettingPath; at?: 'key' | 'value' },
  { message, ...rest }: Omit<Finding, 'range'>,
): Finding {
  return { range: rangeOf(path, at, document.json), message: `${formatSettingPath(path)}: ${message}`, ...rest };
}
