/** @file Shows a place in the user's code. */
import { Position, Range, TabInputText, TabInputWebview, Uri, ViewColumn, window, type Tab } from 'vscode';
import type { CodePlace } from '../../server/protocol/codePlace.ts';

export async function openPlace({ file, line, column }: CodePlace): Promise<void> {
  const uri = Uri.file(file);
  const at = new Position(line - 1, column - 1);
  await window.showTextDocument(uri, { selection: new Range(at, at), viewColumn: columnFor(uri) });
}

/** The column in which the file is open already; else one that does not cover the dashboard. */
export function columnFor(uri: Uri): ViewColumn {
  const { all, activeTabGroup } = window.tabGroups;
  const holds = ({ input }: Tab) => input instanceof TabInputText && input.uri.toString() === uri.toString();
  const open = all.find(({ tabs }) => tabs.some(holds));
  if (open) return open.viewColumn;
  if (!(activeTabGroup.activeTab?.input instanceof TabInputWebview)) return ViewColumn.Active;
  return all.find((group) => group !== activeTabGroup)?.viewColumn ?? ViewColumn.Beside;
}
