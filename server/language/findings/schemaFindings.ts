/** @file Errors that the schema and the checks of the command line find: such an experiment cannot be run. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { firstDistortEvery } from '../../protocol/experiment/firstExperiment.ts';
import { methodFacts } from '../../protocol/experiment/methods/index.ts';
import { policyFacts, suitablePolicies } from '../../protocol/experiment/methods/policies.ts';
import type { Problem } from '../../protocol/experiment/problem.ts';
import { parseSettingPath, type SettingPath } from '../../protocol/experiment/settingPath.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { MOST_FINDINGS, type Finding, type Fix } from './finding.ts';
import { insertComma, remove, removeAt, rename, setTo } from './fixes.ts';
import { compressionAt, layerAt } from '../readCompression.ts';
import { firstRunOf } from '../trainingTimes.ts';
import { textAt, numberAt, valueAt } from '../writtenSettings.ts';

export function schemaFindings(document: ExperimentDocument, { model }: Surroundings): Finding[] {
  return document.checked.problems.slice(0, MOST_FINDINGS).map((problem) => {
    const { range = { start: 0, end: 0 }, code, message, path } = problem;
    return {
      range,
      severity: DiagnosticSeverity.Error,
      code,
      message: path === '' ? message : `${path}: ${message}`,
      fixes: fixesOf(document, model, problem),
    };
  });
}

function fixesOf(
  document: ExperimentDocument,
  model: Surroundings['model'],
  { code, path: name, message, range, meant }: Problem,
): Fix[] {
  const path = parseSettingPath(name) ?? [];
  switch (code) {
    case 'syntax':
      // Behind a string that is not closed, for one, the parser misses commas that would not help.
      return range && document.json.problems.every((other) => other.message.endsWith('a comma'))
        ? [insertComma(document, range.start)]
        : [];
    case 'duplicate-key':
      return range ? [removeAt(document, String(path.at(-1)), range.start)] : [];
    case 'unknown-setting':
      return [...(meant === undefined ? [] : rename(document, path, meant)), remove(document, path)];
    case 'missing-setting': {
      const compression = compressionAt(document, path);
      if (compression === undefined) return [];
      const parameters = methodFacts[compression.method].parameters;
      const parameter = String(path.at(-1));
      if (layerAt(path) && Object.hasOwn(parameters, parameter))
        return [setTo(document, path, parameters[parameter].first())];
      if (parameter !== 'distortEvery') return [];
      const isInEpochs = textAt(document, [...compression.path, 'unit']) === 'epochs';
      const { method } = compression;
      return [setTo(document, path, isInEpochs ? 1 : firstDistortEvery(method, firstRunOf(document, model)).count)];
    }
    case 'wrong-value':
      return meant === undefined ? correctedNumber(document, path, message) : [setTo(document, path, meant)];
    case 'alternatives':
      return [remove(document, path)];
    case 'combination':
      if (meant !== undefined) return [setTo(document, path, meant)];
      if (path.at(-1) === 'policy') return policiesFor(document, path);
      return path[0] === 'compression' && !message.includes('leave it out') ? [] : [remove(document, path)];
    case 'times':
    case 'unfit':
      return [];
    default:
      return code satisfies never;
  }
}

/** Fixes that choose a policy which works with the method, whatever the parameters of its layers are. */
function policiesFor(document: ExperimentDocument, path: SettingPath): Fix[] {
  const method = compressionAt(document, path)?.method;
  const policies = method
    ? suitablePolicies(method).filter((policy) => !policyFacts[policy].layers && !policyFacts[policy].findsRate)
    : [];
  return policies.map((policy) => setTo(document, path, policy));
}

/** Fixes for a number in quotes, and for a percentage where a fraction is meant. */
function correctedNumber(document: ExperimentDocument, path: SettingPath, message: string): Fix[] {
  const text = textAt(document, path);
  if (text !== undefined && text.trim() !== '' && Number.isFinite(Number(text)) && /integer|number/.test(message))
    return [setTo(document, path, Number(text))];
  const number = numberAt(document, path);
  if (number !== undefined && number > 1 && number < 100 && message.includes('expected a number in [0, 1)'))
    return [setTo(document, path, Number((number / 100).toPrecision(12)))];
  const value = valueAt(document, path);
  const isFraction = typeof value === 'number' && !Number.isInteger(value) && value >= 1;
  return isFraction && message.includes('integer') ? [setTo(document, path, Math.round(value))] : [];
}
