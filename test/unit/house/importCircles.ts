/** @file Files that import one another in a circle, types among what they import. `import-x/no-cycle` sees no types, and reads every file once more. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import ts from 'typescript';

/** An import or export of types alone, which is gone when the program runs. */
const OF_TYPES = /^(?:import|export) type [^;]*;/gm;

/** The imports of files, with types or without: by path, the paths of the imported files. */
export function importsOf(files: readonly string[], { types = true } = {}): Map<string, string[]> {
  return new Map(
    files.map((file) => {
      const text = readFileSync(file, 'utf8');
      const { importedFiles } = ts.preProcessFile(types ? text : text.replace(OF_TYPES, ''), true, true);
      const relative = importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith('.'));
      return [file, relative.map((name) => resolve(dirname(file), name))];
    }),
  );
}

/** One circle for each import that closes one: the files in it, the first again at the end. */
export function circlesIn(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]) => {
    const start = way.indexOf(file);
    if (start !== -1) circles.push([...way.slice(start), file]);
    if (start !== -1 || done.has(file)) return;
    for (const imported of imports.get(file) ?? []) visit(imported, [...way, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return circles;
}
