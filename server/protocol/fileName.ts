/** @file Names in paths, of which the system that wrote them is not known. */

/** The name of a file or folder, whatever the system of the machine that wrote it. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== '') ?? path;
}
