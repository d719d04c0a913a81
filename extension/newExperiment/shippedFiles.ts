/** @file Files of the extension that become a user's. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { Uri } from 'vscode';

/** A file of the folder `media`. */
export function shippedFile(extensionUri: Uri, name: string): string {
  return Uri.joinPath(extensionUri, 'media', name).fsPath;
}

/** Writes it to a path; a file that is there stays as it is. */
export async function writeShippedFile(extensionUri: Uri, name: string, path: string): Promise<void> {
  if (!existsSync(path)) await writeFile(path, await readFile(shippedFile(extensionUri, name)));
}
