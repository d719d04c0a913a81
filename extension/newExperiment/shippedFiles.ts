/** @file Files of the extension that are copied into a user's folder. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { Uri } from 'vscode';

/** Path of a file in the extension's folder `media`. */
export function shippedFile(extensionUri: Uri, name: string): string {
  return Uri.joinPath(extensionUri, 'media', name).fsPath;
}

/** Copies such a file to a path; a file that is there stays as it is. */
export async function writeShippedFile(extensionUri: Uri, name: string, path: string): Promise<void> {
  if (!existsSync(path)) await writeFile(path, await readFile(shippedFile(extensionUri, name)));
}
