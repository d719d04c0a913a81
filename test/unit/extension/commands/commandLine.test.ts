import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { commandLineOf } from '../../../../extension/commands/commandLine.ts';

const layers = 'compression.layers={"fc*":{"rate":0.9}}';

test('names the file from the folder and every changed value', () => {
  expect(commandLineOf('/w/mnist/lenet.deeptwist.jsonc', ['training.seed=2'], '/w', '/bin/bash')).toBe(
    'deeptwist run mnist/lenet.deeptwist.jsonc --set training.seed=2',
  );
});

/** What somebody could write in `run.json`, or name a file. */
const hostile = [
  "it's mine",
  'a b',
  '$(touch owned)',
  '`id`',
  '"; id; "',
  "'; id; '",
  "\\'; id; '",
  'a\\',
  'sub\\x',
  'a\nid\n',
  '\nid #',
  '\u0003\u0015id\n',
  '\u001b[201~id\n',
  "a\n'; id; '\\",
  'a & id',
  'a | id',
  'a > b',
  '$HOME ~ %PATH% !!',
  '*?[a-z]{a,b}',
  '#',
  '=ls',
  '-rf',
  'größe 😀',
  'a\tb',
  '',
  layers,
];

describe.each(['sh', 'bash', 'dash', 'zsh', 'ksh'])('%s', (shell) => {
  const path = ['/bin', '/usr/bin'].map((folder) => `${folder}/${shell}`).find(existsSync);
  // What a shell of the machine makes of the line; the same words by bash, where the machine has not got it.
  const program = path ?? '/bin/bash';
  const argumentsOf = (line: string) => {
    const script = `deeptwist() { printf '%s\\0' "$@"; }\n${line}\n`;
    return execFileSync(program, ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
  };

  test.runIf(process.platform !== 'win32').each(hostile)('takes %j as one argument', (text) => {
    const line = commandLineOf(`/w/x${text}.jsonc`, [text, `a=${text}`], '/w', `/usr/bin/${shell}`);
    if (line === undefined) {
      // Without quotes for control characters, there is no line.
      expect(['sh', 'dash']).toContain(shell);
      expect(text).toMatch(/[\u0000-\u001f]/);
      return;
    }
    // A terminal acts on these when they are pasted.
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    expect(argumentsOf(line)).toEqual(['run', `x${text}.jsonc`, '--set', text, '--set', `a=${text}`]);
  });
});

test.each([
  ['/usr/bin/fish', 'a\\', "'a\\\\'"],
  ['/usr/bin/fish', "it's", "'it\\'s'"],
  ['/usr/bin/fish', 'a\nb', undefined],
  ['C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe', "it's $(id); `id`", "'it''s $(id); `id`'"],
  ['C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe', '{"a":1}', `'{\\"a\\":1}'`],
  ['C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe', 'a b\\', "'a b\\\\'"],
  // PowerShell takes these four as single quotes, too.
  ['/usr/bin/pwsh', '\u2018\u2019\u201a\u201b; id', "'\u2018\u2018\u2019\u2019\u201a\u201a\u201b\u201b; id'"],
  ['/usr/bin/pwsh', '{"a":1}', `'{"a":1}'`],
  ['/usr/bin/pwsh', 'a\nid', undefined],
  ['C:\\Windows\\System32\\cmd.exe', 'a & id | id > b', '"a & id | id > b"'],
  ['C:\\Windows\\System32\\cmd.exe', 'a b\\', '"a b\\\\"'],
  ['C:\\Windows\\System32\\cmd.exe', 'a" & id & "', undefined],
  ['C:\\Windows\\System32\\cmd.exe', '%PATH%', undefined],
  ['C:\\Windows\\System32\\cmd.exe', 'a\r\nid', undefined],
  ['C:\\Program Files\\Git\\bin\\BASH.EXE', 'a b', "'a b'"],
  ['/usr/bin/nu', 'a b', undefined],
])('%s writes %j as %j', (shell, text, quoted) => {
  const line = commandLineOf('/w/x.jsonc', [text], '/w', shell);
  expect(line).toBe(quoted === undefined ? undefined : `deeptwist run x.jsonc --set ${quoted}`);
});

test('a shell that is not known gets what needs no quotes', () => {
  expect(commandLineOf('/w/x.jsonc', ['a.b=1'], '/w', '/usr/bin/nu')).toBe('deeptwist run x.jsonc --set a.b=1');
});

test('a file whose name begins with a dash is no option', () => {
  expect(commandLineOf('/w/-x.jsonc', [], '/w', 'sh')).toBe('deeptwist run ./-x.jsonc');
});
