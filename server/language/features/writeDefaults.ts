/** @file The settings that an object leaves out, written with their defaults. */
import { findNodeAtLocation, getNodeValue, type Node } from 'jsonc-parser';
import type { TextEdit } from 'vscode-languageserver/node';
import { optionOf } from '../../protocol/experiment/expectation.ts';
import { formatSettingPath, type SettingPath } from '../../protocol/experiment/settingPath.ts';
import type { ExperimentDocument } from '../experimentDocument.ts';
import { isPlain, settingSchema } from '../settingDocumentation.ts';
import type { Rewriting, Rewritten } from './rewriting.ts';

/** Writes the defaults of the object around the cursor, not of the objects in it. */
export function defaultsWritten({ document, path }: Rewritten): Rewriting[] {
  const object = objectAt(document, path);
  const properties = object?.node.children ?? [];
  if (!object || properties.length === 0) return [];
  const schema = settingSchema(document.settings, object.path);
  const option = schema && optionOf(schema, getNodeValue(object.node));
  const written = new Set(properties.map(({ children }) => children?.[0].value as string));
  const missing = Object.entries(option?.properties ?? {}).flatMap(([key, node]) =>
    typeof node === 'object' && !written.has(key) && isPlain(node.default)
      ? [`${JSON.stringify(key)}: ${JSON.stringify(node.default)}`]
      : [],
  );
  if (missing.length === 0) return [];
  const name = object.path.length === 0 ? 'the file' : formatSettingPath(object.path);
  const title = `Write out the ${missing.length === 1 ? 'default' : `${missing.length} defaults`} of ${name}`;
  return [{ title, edits: appended(document, properties[properties.length - 1], missing) }];
}

function objectAt(
  { json: { root } }: ExperimentDocument,
  path: SettingPath,
): { path: SettingPath; node: Node } | undefined {
  const node = root && findNodeAtLocation(root, [...path]);
  if (node?.type === 'object') return { path, node };
  const around = path.slice(0, -1);
  const parent = root && findNodeAtLocation(root, around);
  return path.length > 0 && parent?.type === 'object' ? { path: around, node: parent } : undefined;
}

/** After the last setting, on lines of their own where that has one; a comment behind it stays behind it. */
function appended(document: ExperimentDocument, last: Node, entries: readonly string[]): TextEdit[] {
  const text = document.text.getText();
  const end = last.offset + last.length;
  const insert = (offset: number, newText: string): TextEdit => {
    return { range: document.rangeOf({ start: offset, end: offset }), newText };
  };
  const comma = /^\s*,/.exec(text.slice(end))?.[0];
  const indent = /(?:^|\n)([ \t]*)$/.exec(text.slice(0, last.offset))?.[1];
  if (indent === undefined) return [insert(end + (comma?.length ?? 0), `${comma ? '' : ','} ${entries.join(', ')}`)];
  const lines = entries.map((entry) => `\n${indent}${entry}`).join(',');
  const comment = /^,?[ \t]*(\/\/[^\r\n]*|\/\*[^\r\n]*?\*\/[ \t]*(?=\r?\n|$))/.exec(text.slice(end))?.[0].length ?? 0;
  if (comma) return [insert(Math.max(end + comma.length, end + comment), lines)];
  return comment === 0 ? [insert(end, `,${lines}`)] : [insert(end, ','), insert(end + comment, lines)];
}
