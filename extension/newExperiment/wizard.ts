/** @file New Experiment: a few questions, then a file to read. Until the last answer, nothing is written. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { l10n, ProgressLocation, QuickPickItemKind, Uri, window, workspace } from 'vscode';
import { EVERY_LAYER, type FirstLayer } from '../../server/protocol/experiment/firstExperiment.ts';
import { methodFacts } from '../../server/protocol/experiment/methods/index.ts';
import type { Method } from '../../server/protocol/experiment/schema.ts';
import { experimentText, newMethods } from './experimentText.ts';
import { dataSetting, findChoices, modelName } from './findChoices.ts';
import type { Choices, FoundData, FoundModel } from './findChoices.ts';
import { teacherSetting, type FoundTeacher } from './findTeachers.ts';
import { relativePath } from './relativePath.ts';
import { SAMPLE_FILE, SAMPLE_STEPS, writeSampleDigits } from './sample.ts';
import { askText, pickOne, pickSome } from './steps.ts';
import type { Answer, Pick, Step } from './steps.ts';
import { showInformation } from '../messages.ts';
import { runResultText } from '../runs/runResultText.ts';
import type { RunStore } from '../runs/runStore.ts';

type DataChoice = FoundData | 'sample';
type TeacherChoice = FoundTeacher | 'none';

interface Answers {
  model?: FoundModel;
  data?: DataChoice;
  method?: Method;
  layers?: readonly FirstLayer[];
  teacher?: TeacherChoice;
  name?: string;
}

/** Asks, writes the file and opens it. @returns undefined if the user cancelled: then nothing was written */
export async function newExperiment(extensionUri: Uri, store: RunStore): Promise<Uri | undefined> {
  const choices = await window.withProgress(
    { location: ProgressLocation.Notification, title: l10n.t('Looking for models and data…'), cancellable: true },
    async (_, token) => {
      const found = await findChoices(store, token);
      return token.isCancellationRequested ? undefined : found;
    },
  );
  const answers = choices && (await ask(choices));
  return answers && write(answers, extensionUri);
}

async function ask(choices: Choices): Promise<Required<Answers> | undefined> {
  const answers: Answers = { teacher: 'none' };
  const all = [askModel, askData, askMethod, askLayers, askTeacher, askName];
  for (let index = 0; ;) {
    const questions = all.filter((question) => question !== askTeacher || teachersFor(answers, choices).length > 0);
    if (index >= questions.length) return answers as Required<Answers>;
    const step = { title: l10n.t('New Experiment'), step: index + 1, totalSteps: questions.length };
    const answer = await questions[index](step, answers, choices);
    if (answer === 'cancelled') return undefined;
    index += answer === 'back' ? -1 : 1;
  }
}

async function askModel(step: Step, answers: Answers, { models }: Choices): Promise<Answer<unknown>> {
  const own = models.filter(({ reference }) => !isBuiltin(reference));
  const item = (model: FoundModel): Pick<FoundModel> => ({
    label: isBuiltin(model.reference) ? modelName(model) : basename(model.reference),
    description: isBuiltin(model.reference) ? '' : relativeFolder(model.reference),
    detail: model.layers && l10n.t('Layers: {0}', model.layers.map(({ name }) => name).join(', ')),
    value: model,
  });
  const items = [
    ...(own.length > 0 ? [separator<FoundModel>(l10n.t('In this workspace'))] : []),
    ...own.map(item),
    separator<FoundModel>(l10n.t('Built in')),
    ...models.filter(({ reference }) => isBuiltin(reference)).map(item),
  ];
  const placeholder =
    own.length > 0
      ? l10n.t('The model to compress')
      : l10n.t('The model to compress (no file of this workspace exports createModel)');
  const answer = await pickOne(step, { placeholder, items, before: answers.model });
  if (typeof answer === 'object') {
    if (answer.value !== answers.model) {
      answers.data = answers.layers = answers.name = undefined;
      answers.teacher = 'none';
    }
    answers.model = answer.value;
  }
  return answer;
}

async function askData(step: Step, answers: Answers, { data }: Choices): Promise<Answer<unknown>> {
  const input = answers.model?.input;
  const wordsWanted = input === 'words';
  const isFitting: Record<FoundData['type'], boolean> = {
    mnist: !wordsWanted,
    // Digits are gray, of 28 x 28 pixels: images in folders seldom are.
    images: input === undefined,
    module: !wordsWanted,
    text: input !== 'digits',
    table: input === undefined,
    arrays: !wordsWanted,
  };
  const fitting = data.filter(({ type }) => isFitting[type]);
  const kinds: Record<FoundData['type'], string> = {
    mnist: l10n.t('MNIST, or a set in its form'),
    images: l10n.t('Images in folders, one for each class'),
    module: l10n.t('A module that exports train and test'),
    text: l10n.t('Text: a sentence a line'),
    table: l10n.t('A table; its last column is what the model learns to tell'),
    arrays: l10n.t('NumPy arrays'),
  };
  const found = fitting.map((value): Pick<DataChoice> => ({
    label: basename(value.path),
    description: relativeFolder(value.path),
    detail: kinds[value.type],
    value,
  }));
  const sample: Pick<DataChoice> = {
    label: l10n.t('Sample digits'),
    description: SAMPLE_FILE,
    detail: l10n.t('A module that draws 28 × 28 pictures of ten digits; it is written beside the experiment.'),
    value: 'sample',
  };
  const items = wordsWanted ? found : [...found, sample];
  if (items.length === 0) {
    void showInformation(
      l10n.t(
        'A language model needs a folder with NAME.train.txt, NAME.valid.txt and NAME.test.txt in this workspace.',
      ),
    );
    return 'back';
  }
  const answer = await pickOne(step, { placeholder: l10n.t('The data to train with'), items, before: answers.data });
  if (typeof answer === 'object') {
    if (answer.value !== answers.data) answers.teacher = 'none';
    answers.data = answer.value;
  }
  return answer;
}

async function askMethod(step: Step, answers: Answers): Promise<Answer<unknown>> {
  const items = newMethods.flatMap((value): Pick<Method>[] => {
    const { choice } = methodFacts[value];
    return choice ? [{ label: l10n.t(choice.label), detail: l10n.t(choice.detail), value }] : [];
  });
  const answer = await pickOne(step, { placeholder: l10n.t('How to compress'), items, before: answers.method });
  if (typeof answer === 'object') {
    if (answer.value !== answers.method) answers.name = undefined;
    answers.method = answer.value;
  }
  return answer;
}

async function askLayers(step: Step, answers: Answers): Promise<Answer<unknown>> {
  const { layers } = answers.model!;
  const items = (layers ?? [EVERY_LAYER]).map((value): Pick<FirstLayer> => ({
    label: value.name,
    ...(value === EVERY_LAYER && {
      description: l10n.t('Every layer'),
      detail: l10n.t(
        'The names of the layers are only known when the model runs; patterns can be narrowed in the file.',
      ),
    }),
    value,
  }));
  const answer = await pickSome(step, { placeholder: l10n.t('The layers to compress'), items, before: answers.layers });
  if (typeof answer === 'object') answers.layers = answer.value;
  return answer;
}

/** What can teach the model: another one, of the same kind of data as far as that is known. */
function teachersFor({ model, data }: Answers, { teachers }: Choices): FoundTeacher[] {
  const dataType = data === 'sample' ? 'module' : data?.type;
  return teachers.filter((teacher) =>
    'file' in teacher ? teacher.file !== model?.reference : dataType === undefined || teacher.dataType === dataType,
  );
}

async function askTeacher(step: Step, answers: Answers, choices: Choices): Promise<Answer<unknown>> {
  const items: Pick<TeacherChoice>[] = [
    { label: l10n.t('No teacher'), detail: l10n.t('The model learns from the labels alone.'), value: 'none' },
  ];
  const teachers = teachersFor(answers, choices);
  const runs = teachers.flatMap((teacher): Pick<TeacherChoice>[] => {
    if ('file' in teacher) return [];
    const { summary } = teacher.run;
    return [{ label: summary.name, description: runResultText(summary), detail: summary.id, value: teacher }];
  });
  if (runs.length > 0) items.push(separator(l10n.t('Finished runs')), ...runs);
  const files = teachers.flatMap((teacher): Pick<TeacherChoice>[] =>
    'file' in teacher
      ? [{ label: basename(teacher.file), description: relativeFolder(teacher.file), value: teacher }]
      : [],
  );
  if (files.length > 0) items.push(separator(l10n.t('Model files')), ...files);
  const placeholder = l10n.t('A trained model whose outputs the new one learns from, beside the labels');
  const answer = await pickOne(step, { placeholder, items, before: answers.teacher });
  if (typeof answer === 'object') answers.teacher = answer.value;
  return answer;
}

async function askName(step: Step, answers: Answers): Promise<Answer<unknown>> {
  const folder = folderOf(answers.model!);
  const wanted = `${modelName(answers.model!)}-${answers.method}`;
  let name = wanted;
  for (let number = 2; existsSync(fileOf(folder, name)); number++) name = `${wanted}-${number}`;
  const answer = await askText(step, {
    prompt: l10n.t('Name of the experiment; the file NAME.deeptwist.jsonc is written to {0}', folder),
    value: answers.name ?? name,
    problem: (text) => {
      if (!/^[\w][\w. -]*$/.test(text)) return l10n.t('Letters, digits, spaces, points, - and _');
      return existsSync(fileOf(folder, text)) ? l10n.t('{0} is there already.', fileOf(folder, text)) : undefined;
    },
  });
  if (typeof answer === 'object') answers.name = answer.value;
  return answer;
}

async function write(
  { model, data, method, layers, teacher, name }: Required<Answers>,
  extensionUri: Uri,
): Promise<Uri> {
  const folder = folderOf(model);
  const fromHere = (path: string) => relativePath(folder, path);
  const found: FoundData =
    data === 'sample' ? { type: 'module', path: await writeSampleDigits(extensionUri, folder) } : data;
  const text = experimentText({
    model: isBuiltin(model.reference) ? model.reference : fromHere(model.reference),
    ...(model.loss !== undefined && { loss: model.loss }),
    data: dataSetting(found, fromHere),
    method,
    layers,
    ...(teacher !== 'none' && { teacher: teacherSetting(teacher, folder) }),
    ...(data === 'sample' && { steps: SAMPLE_STEPS }),
  });
  const file = Uri.file(fileOf(folder, name));
  await workspace.fs.writeFile(file, new TextEncoder().encode(text));
  await window.showTextDocument(file);
  return file;
}

function fileOf(folder: string, name: string): string {
  return join(folder, `${name}.deeptwist.jsonc`);
}

/** The folder for the new file: that of the model; for a built-in one, the workspace folder of the active editor. */
function folderOf({ reference }: FoundModel): string {
  if (!isBuiltin(reference)) return dirname(reference);
  const open = window.activeTextEditor?.document.uri;
  const folder = (open && workspace.getWorkspaceFolder(open)) ?? workspace.workspaceFolders![0];
  return folder.uri.fsPath;
}

function isBuiltin(reference: string): boolean {
  return reference.startsWith('builtin:');
}

/** Folder of a path, relative to the workspace; empty at the top of a workspace folder. */
function relativeFolder(path: string): string {
  const folder = dirname(path);
  const isTop = workspace.workspaceFolders?.some(({ uri }) => uri.fsPath === folder);
  return isTop ? '' : workspace.asRelativePath(folder);
}

function separator<T>(label: string): Pick<T> {
  return { label, kind: QuickPickItemKind.Separator };
}
