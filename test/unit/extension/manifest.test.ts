import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkExperiment } from '../../../server/protocol/experiment/parseExperiment.ts';
import { experimentError } from '../../../server/protocol/experiment/problem.ts';
import { dashboardCommands } from '../../../server/protocol/wire/dashboard.ts';

interface Contribution {
  readonly command: string;
  readonly when?: string;
}
interface Command extends Contribution {
  readonly title: string;
  readonly category?: string;
  readonly icon?: string;
  readonly enablement?: string;
}
interface Setting {
  readonly type: string;
  readonly default?: unknown;
  readonly scope?: string;
  readonly markdownDescription?: string;
  readonly enum?: readonly string[];
  readonly enumDescriptions?: readonly string[];
}
interface Manifest {
  readonly contributes: {
    readonly commands: readonly Command[];
    readonly menus: Readonly<Record<string, readonly Contribution[]>>;
    readonly keybindings: readonly Contribution[];
    readonly viewsWelcome: readonly { readonly when: string }[];
    readonly problemMatchers: readonly { readonly pattern: { readonly regexp: string } }[];
    readonly configuration: { readonly properties: Readonly<Record<string, Setting>> };
  };
}

const root = join(import.meta.dirname, '../../..');
const text = readFileSync(join(root, 'package.json'), 'utf8');
const { contributes } = JSON.parse(text) as Manifest;
const texts = JSON.parse(readFileSync(join(root, 'package.nls.json'), 'utf8')) as Record<string, string>;

const commands = new Set(contributes.commands.map(({ command }) => command));
const named = (contributions: readonly Contribution[]) => contributions.map(({ command }) => command);

test('every text of the manifest is in package.nls.json, and every text there is used', () => {
  const used = new Set([...text.matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key));
  expect([...used].sort()).toEqual(Object.keys(texts).sort());
});

describe('the commands', () => {
  test('have the category, a title and an icon each, and no two the same', () => {
    for (const { category, title, icon } of contributes.commands)
      expect({ category, title, icon }).toEqual({
        category: 'DeepTwist',
        title: expect.stringMatching(/^%/),
        icon: expect.stringMatching(/^\$\(/),
      });
    expect(commands.size).toBe(contributes.commands.length);
  });

  test('of menus and keys are declared', () => {
    const menus = Object.values(contributes.menus).flatMap(named);
    expect([...menus, ...named(contributes.keybindings)].filter((command) => !commands.has(command))).toEqual([]);
  });

  test('that welcome texts link to are declared', () => {
    const links = Object.values(texts).flatMap((value) => [...value.matchAll(/\(command:(deeptwist\.\w+)/g)]);
    expect(links.map(([, command]) => command).filter((command) => !commands.has(command))).toEqual([]);
  });

  test('the Experiments view has a text of ours also before it has looked for experiments', () => {
    // In the first moments, VS Code has no value of the key, and a text of its own on data providers.
    const conditions = contributes.viewsWelcome.map(({ when }) => when);
    expect(conditions).toEqual(
      expect.arrayContaining([
        'workspaceFolderCount == 0',
        'workspaceFolderCount > 0 && !deeptwist.withoutExperiment',
        'workspaceFolderCount > 0 && deeptwist.withoutExperiment',
      ]),
    );
  });

  test('that a dashboard offers are declared', () => {
    // VS Code's own, which opens the editor of Workspace Trust, and the place of a failure, which only the dashboard knows.
    const own = dashboardCommands.filter((command) => command !== 'manageTrust' && command !== 'openFailure');
    expect(own.filter((command) => !commands.has(`deeptwist.${command}`))).toEqual([]);
  });

  test('are off in Restricted Mode, but for those that only look', () => {
    const looking = new Set([
      // They write a file that a person has asked for, and run nothing.
      ...['newExperiment', 'importModel', 'openSampleExperiment'],
      ...[
        'compareRuns',
        'compareWithLast',
        'showRunsOfFile',
        'openConfigOfRun',
        'openDashboard',
        'openDashboardToSide',
      ],
      ...['openExperiment', 'showLog', 'revealRunFolder', 'openSweep', 'revealSweepFolder', 'restartLanguageServer'],
      // To the clipboard.
      ...['copyCommandLine', 'copyRunLink', 'copyDiagnostics'],
      ...['getStarted', 'openDocumentation', 'showOutput'],
      ...['refreshRuns', 'showMoreRuns', 'filterRuns', 'clearRunFilter', 'sortRuns'],
    ]);
    for (const { command, enablement } of contributes.commands)
      expect(enablement, command).toBe(
        looking.has(command.replace('deeptwist.', '')) ? undefined : 'isWorkspaceTrusted',
      );
  });

  test('are in the palette only where they can be used', () => {
    const conditions = new Set(
      contributes.menus.commandPalette.filter(({ when }) => when).map(({ command }) => command),
    );
    const always = ['copyDiagnostics', 'getStarted', 'openDocumentation', 'showOutput'];
    expect([...commands].filter((command) => !conditions.has(command))).toEqual(
      always.map((name) => `deeptwist.${name}`),
    );
  });

  test('that act on a run in progress are in the palette only while there is one, and their keys work in any case', () => {
    const conditions = new Map(contributes.menus.commandPalette.map(({ command, when }) => [command, when]));
    const acting = ['pause', 'stop', 'observeNow', 'checkpointNow', 'applyFromNextDistortion'];
    for (const name of acting) expect(conditions.get(`deeptwist.${name}`), name).toBe('deeptwist.hasRunInProgress');
    expect(conditions.get('deeptwist.continue')).toBe('deeptwist.hasPausedRun');
    // A key does nothing where its command is not enabled; no `enablement` asks for a run.
    for (const { command, enablement } of contributes.commands)
      expect(enablement ?? '', command).not.toMatch(/has\w*Run/);
  });

  test('that run a file or list its runs are not offered for the copies that runs keep', () => {
    const { menus, keybindings } = contributes;
    const offers = [...Object.values(menus).flat(), ...keybindings].filter(
      ({ command = '', when = '' }) =>
      /\.(runExperiment|runWithChangedValues|compareWithLast|showRunsOfFile)$/.test(command) && when.includes('resourceFilename'), // prettier-ignore
    );
    expect(offers.length).toBeGreaterThan(5);
    for (const { command, when } of offers) expect(when, command).toContain(String.raw`!(resourceDirname =~ /\W\.deeptwist\W/)`); // prettier-ignore
  });

  test('have keys only where these are for this product', () => {
    for (const { command, when } of contributes.keybindings) expect(when, command).toBeDefined();
  });
});

test.each(Object.entries(contributes.configuration.properties))(
  'the setting %s has a description, a scope, a default and a text for each of its values',
  (_, setting) => {
    expect(setting).toMatchObject({
      markdownDescription: expect.stringMatching(/^%/),
      scope: expect.stringMatching(/^(window|resource|machine-overridable)$/),
      default: expect.anything(),
    });
    expect(setting.enumDescriptions?.length).toBe(setting.enum?.length);
  },
);

test('the pictures of the manifest are there', () => {
  for (const [, picture] of text.matchAll(/"(media\/[^"]+)"/g))
    expect(existsSync(join(root, picture)), picture).toBe(true);
});

test('the icon is a square PNG of at least 128 pixels, as a marketplace wants it', () => {
  const { icon } = JSON.parse(text) as { icon: string };
  const bytes = readFileSync(join(root, icon));
  expect(bytes.subarray(1, 4).toString('latin1')).toBe('PNG');
  // Width and height stand at the beginning of the chunk IHDR, which is the first.
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  expect(width).toBe(height);
  expect(width).toBeGreaterThanOrEqual(128);
});

test('the problem matcher finds the file, the place and the message of every problem that a command prints', () => {
  const [{ pattern }] = contributes.problemMatchers;
  const file = 'nets of mine/lenet.deeptwist.jsonc';
  const problems = checkExperiment('{\n  "model": 3, "trainig": {}\n}').problems.filter(({ override }) => !override);
  const lines = `error: ${experimentError(file, problems).message}`.split('\n');
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.map((line) => new RegExp(pattern.regexp).exec(line)?.slice(1))).toEqual(
    problems.map(({ line, column, path, message }) => [file, `${line}`, `${column}`, `${path}: ${message}`]),
  );
});
