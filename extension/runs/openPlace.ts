/** @file Shows a place in the user's code. */
import { Position, Range, Uri, ViewColumn, window } from 'vscode';
import type { CodePlace } from '../../server/protocol/codePlace.ts';

/** In the editor, not in the column of a dashboard. */
export async function openPlace({ file, line, column }: CodePlace): Promise<void> {
  const at = new Position(line - 1, column - 1);
  await window.showTextDocument(Uri.file(file), { selection: new Range(at, at), viewColumn: ViewColumn.One });
}
