/** @file The remedies of findings, as changes of the text. */
import { createScanner, modify, type SyntaxKind } from 'jsonc-parser';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import type { ExperimentDocument } from '../experimentDocument.ts';
import type { Fix, TextChange } from './finding.ts';

const END_OF_FILE: SyntaxKind.EOF = 17;

/** Changes a value, or adds the setting where it is not there. */
export function setTo(document: ExperimentDocument, path: SettingPath, value: unknown): Fix {
  const name = String(path.at(-1));
  const there = document.json.has(path);
  const text = JSON.stringify(value);
  return {
    title: there ? `Change to ${text}` : `Add "${name}": ${text}`,
    edits: () => valueChanges(document, path, value),
  };
}

/** As {@link setTo} of a setting beside the one in question. */
export function setOther(document: ExperimentDocument, path: SettingPath, value: unknown): Fix {
  return {
    title: `Set "${String(path.at(-1))}" to ${JSON.stringify(value)}`,
    edits: () => valueChanges(document, path, value),
  };
}

function valueChanges(document: ExperimentDocument, path: SettingPath, value: unknown): TextChange[] {
  const range = document.json.rangeOfValue(path);
  if (range) return [{ range, newText: JSON.stringify(value) }];
  const text = document.text.getText();
  const formattingOptions = { insertSpaces: !/^\t/m.test(text), tabSize: 2 };
  return modify(text, [...path], value, { formattingOptions }).map(({ offset, length, content }) => ({
    range: { start: offset, end: offset + length },
    newText: content,
  }));
}

/** Another name for a setting or a layer; nothing where that is there already. */
export function rename(document: ExperimentDocument, path: SettingPath, name: string): Fix[] {
  const range = document.json.rangeOfKey(path);
  if (!range || document.json.has([...path.slice(0, -1), name])) return [];
  return [{ title: `Change to "${name}"`, edits: () => [{ range, newText: JSON.stringify(name) }] }];
}

export function remove(document: ExperimentDocument, path: SettingPath): Fix {
  return {
    title: `Remove "${String(path.at(-1))}"`,
    edits() {
      const key = document.json.rangeOfKey(path);
      return key ? removalAt(document, key.start) : [];
    },
  };
}

/** Removes the one of two equal keys that is at an offset. */
export function removeAt(document: ExperimentDocument, name: string, offset: number): Fix {
  return { title: `Remove this "${name}"`, edits: () => removalAt(document, offset) };
}

function removalAt(document: ExperimentDocument, offset: number): TextChange[] {
  return document.json.rangesToRemove(offset).map((range) => ({ range, newText: '' }));
}

/** Behind the last value before an offset. */
export function insertComma(document: ExperimentDocument, before: number): Fix {
  return {
    title: 'Insert the comma',
    edits() {
      const scanner = createScanner(document.text.getText(), true);
      let end = 0;
      while (scanner.scan() !== END_OF_FILE && scanner.getTokenOffset() < before)
        end = scanner.getTokenOffset() + scanner.getTokenLength();
      return [{ range: { start: end, end }, newText: ',' }];
    },
  };
}
