/** @file Writes settings into the text of an experiment file, whose comments and layout stay as they are elsewhere. */
import { modify } from 'jsonc-parser';
import { JsonText, type TextRange } from './jsonText.ts';
import type { Override } from './overrides.ts';
import { formatSettingPath } from './settingPath.ts';
import { shownValue } from './shownValue.ts';
import { UserError } from '../userError.ts';

/**
 * The text with other values of some settings; null removes one. Settings that are not there are added.
 * @throws UserError for a text that is no JSON, and where something else stands in the way of a setting
 */
export function writeSettings(text: string, overrides: readonly Pick<Override, 'path' | 'value'>[]): string {
  return overrides.reduce(writeSetting, text);
}

function writeSetting(text: string, { path, value }: Pick<Override, 'path' | 'value'>): string {
  const json = new JsonText(text);
  const [problem] = json.problems;
  if (problem)
    throw new UserError(`line ${problem.line}: ${problem.message}`, { remedy: 'Correct the file, then do it again.' });
  for (let length = 0; length < path.length; length++) {
    const parent = json.at(path.slice(0, length));
    if (parent === undefined) break;
    const needsList = typeof path[length] === 'number';
    if (Array.isArray(parent) === needsList && typeof parent === 'object' && parent !== null) continue;
    const name = length === 0 ? 'The file' : formatSettingPath(path.slice(0, length));
    throw new UserError(`${name} is ${shownValue(parent)}, in which there is no ${formatSettingPath(path)}.`, {
      remedy: 'The file has changed since the run began: compare it with the experiment of the run.',
    });
  }
  const removed = value === null || value === undefined;
  if (removed && !json.has(path)) return text;
  const key = removed ? json.rangeOfKey(path) : undefined;
  if (key) return json.rangesToRemove(key.start).reduceRight((now, range) => without(now, range), text);
  const formattingOptions = {
    insertSpaces: !/^\t/m.test(text),
    tabSize: 2,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
  const edits = modify(text, [...path], removed ? undefined : value, { formattingOptions });
  return edits
    .toSorted((a, b) => b.offset - a.offset)
    .reduce((now, { offset, length, content }) => now.slice(0, offset) + content + now.slice(offset + length), text);
}

function without(text: string, { start, end }: TextRange): string {
  return text.slice(0, start) + text.slice(end);
}
