/** @file The lint rules that a text breaks: that a rule of the house fires is tested by breaking it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const root = join(import.meta.dirname, '../../..');

/** A TypeScript file that exists: the rules look at real paths, and a typed rule at real projects. */
export function someFile(folder: string): string {
  const name = readdirSync(join(root, folder)).find((entry) => entry.endsWith('.ts') && !entry.endsWith('.d.ts'));
  if (name === undefined) throw new Error(`${folder} has no TypeScript file`);
  return join(folder, name);
}

export const typed = new ESLint({ cwd: root });
/** In a tenth of the time: the imports of a file do not depend on types. */
const untyped = new ESLint({ cwd: root, overrideConfig: tseslint.configs.disableTypeChecked });

/** The rules that a text breaks where it stands in for a file: `place`, or one of the folder `place`. */
export async function brokenRules(place: string, text: string, eslint = untyped): Promise<(string | null)[]> {
  const file = place.endsWith('.ts') ? place : someFile(place);
  const [result] = await eslint.lintText(text, { filePath: join(root, file) });
  return result.messages.map((message) => message.ruleId);
}

/** The folders and files whose imports `import-x/no-restricted-paths` restricts, for a file of a folder. */
export async function zoneTargets(folder: string): Promise<string[]> {
  const config = (await untyped.calculateConfigForFile(join(root, folder, 'main.ts'))) as {
    rules: { 'import-x/no-restricted-paths': [unknown, { zones: { target: string }[] }] };
  };
  return config.rules['import-x/no-restricted-paths'][1].zones.map(({ target }) => target);
}
