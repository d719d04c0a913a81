/** @file A Python that `--python PATH` names: what it has, and what it says of an exported ONNX file. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';

/** @throws Error that says what to install, where the interpreter or a package is missing */
export function checkPython(python: string, packages: readonly string[]): void {
  const install = `make an environment with "python3 -m venv DIR" and "DIR/bin/pip install ${packages.join(' ')}", then add --python DIR/bin/python`;
  const { error, status } = spawnSync(python, ['--version']);
  if (error || status !== 0) throw new Error(`There is no ${python}. Install Python 3, then ${install}.`);
  const missing = packages.filter((name) => spawnSync(python, ['-c', `import ${name}`]).status !== 0);
  if (missing.length > 0) throw new Error(`${python} has not the packages ${missing.join(', ')}: ${install}.`);
}

const verdict = z.object({ difference: z.number(), largest: z.number(), versions: z.string(), operators: z.string() });

/**
 * What export_check.py says of `model.onnx`, for the inputs and outputs of `tensors.json`.
 * @throws Error with what Python says where the checker or the runtime refuses the file
 */
export function checkInPython(python: string, folder: string): z.infer<typeof verdict> {
  const refusal = `Python refuses ${join(folder, 'model.onnx')}`;
  return askPython(python, 'export_check.py', [folder], { answer: verdict, refusal });
}

/**
 * Runs a script of test/bench/python/ and reads the JSON that it prints.
 * @throws Error that begins with `refusal`, with what Python says, where the script fails
 */
export function askPython<Answer>(
  python: string,
  script: string,
  args: readonly string[],
  { answer, refusal }: { answer: z.ZodType<Answer>; refusal: string },
): Answer {
  const { status, stdout, stderr } = spawnSync(
    python,
    ['-W', 'ignore', join('test', 'bench', 'python', script), ...args],
    { encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  if (status !== 0) throw new Error(`${refusal}:\n${stderr.slice(-2000)}`);
  return answer.parse(JSON.parse(stdout));
}
