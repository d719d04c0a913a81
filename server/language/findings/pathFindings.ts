/** @file Models, modules and data that are not there. */
import { basename, dirname } from 'node:path/posix';
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { builtinNames } from '../../models/builtinNames.ts';
import { writtenCompressions } from '../../protocol/experiment/compressions.ts';
import { arrayReference } from '../../protocol/experiment/arrayReference.ts';
import { didYouMean } from '../../protocol/experiment/didYouMean.ts';
import { namesRun } from '../../protocol/experiment/runReference.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { isRecord } from '../../protocol/record.ts';
import { finding, type Finding } from './finding.ts';
import { setTo } from './fixes.ts';
import { runSettings } from '../namedRuns.ts';
import { recordAt, textAt } from '../writtenSettings.ts';

const BUILTIN = 'builtin:';

export function pathFindings(document: ExperimentDocument, surroundings: Surroundings): Finding[] {
  return [
    ...modelSettings.flatMap((path) => builtinFindings(document, path)),
    ...pathSettings(document).flatMap((path) => missingPath(document, surroundings, path)),
  ];
}

/** Settings that name a model to be made. */
const modelSettings: readonly SettingPath[] = [['model'], ['distillation', 'teacher', 'model']];

/** Settings that are paths of files or folders. */
function pathSettings(document: ExperimentDocument): SettingPath[] {
  const paths: SettingPath[] = [
    ['data', 'vocabulary', 'file'],
    ['data', 'labels'],
    ['data', 'tokenizer'],
    ...writtenCompressions(document.settings).map(({ path }) => [...path, 'module']),
    ...modelSettings.flatMap((path) => ['onnx', 'module'].map((kind) => [...path, kind])),
  ];
  paths.push(...modelSettings.filter((path) => !textAt(document, path)?.startsWith(BUILTIN)));
  paths.push(...runSettings.filter((path) => !namesRun(textAt(document, path) ?? '')));
  if (textAt(document, ['data', 'type']) !== 'arrays') paths.push(['data', 'path']);
  for (const split of ['train', 'test', 'validation']) {
    for (const [part, value] of Object.entries(recordAt(document, ['data', split]))) {
      paths.push(['data', split, part]);
      if (isRecord(value)) for (const name of Object.keys(value)) paths.push(['data', split, part, name]);
    }
    paths.push(['data', 'files', split], ['data', 'labels', split]);
  }
  return paths;
}

function missingPath(document: ExperimentDocument, { exists, entries }: Surroundings, path: SettingPath): Finding[] {
  const text = textAt(document, path);
  if (text === undefined || text === '') return [];
  const { file } = arrayReference(text);
  if (exists(file)) return [];
  const folder = dirname(file);
  const meant = didYouMean(
    basename(file),
    entries(folder).map((name) => name.replace(/\/$/, '')),
  );
  const prefix = file.slice(0, file.length - basename(file).length);
  return [
    finding(
      document,
      { path },
      {
        severity: DiagnosticSeverity.Error,
        code: 'no-such-file',
        message: `${file} not found (relative to this file)${meant === undefined ? '' : `; did you mean "${meant}"?`}`,
        fixes: meant === undefined ? [] : [setTo(document, path, prefix + meant + text.slice(file.length))],
      },
    ),
  ];
}

function builtinFindings(document: ExperimentDocument, path: SettingPath): Finding[] {
  const severity = DiagnosticSeverity.Error;
  const text = textAt(document, path);
  const known = builtinNames.map((name) => BUILTIN + name);
  if (text?.startsWith(BUILTIN) && !known.includes(text)) {
    const meant = didYouMean(text, known);
    const hint = meant === undefined ? `there are ${known.join(', ')}` : `did you mean "${meant}"?`;
    return [
      finding(
        document,
        { path },
        {
          severity,
          code: 'no-such-builtin',
          message: `no built-in model has this name; ${hint}`,
          fixes: meant === undefined ? [] : [setTo(document, path, meant)],
        },
      ),
    ];
  }
  const isLanguageModel = text?.startsWith(`${BUILTIN}lstm-lm`) || textAt(document, [...path, 'builtin']) === 'lstm-lm';
  const data = textAt(document, ['data', 'type']);
  if (!isLanguageModel || data === undefined || data === 'text') return [];
  const message = `the language model is made for a text, and data are of type "${data}"`;
  return [finding(document, { path }, { severity, code: 'no-text', message })];
}
