/** @file New Experiment: a few questions, then a file to read. Until the last answer, nothing is written. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { commands, l10n, ProgressLocation, QuickPickItemKind, Uri, window, workspace } from 'vscode';
import { EVERY_LAYER, type FirstLayer } from '../../server/protocol/experiment/firstExperiment.ts';
import { formatCount } from '../../server/protocol/formatQuantity.ts';
import { elementCount } from '../../server/protocol/shape.ts';
import { methodFacts } from '../../server/protocol/experiment/methods/index.ts';
import { newMethods } from '../../server/protocol/experiment/methods/newMethods.ts';
import type { Method } from '../../server/protocol/experiment/schema.ts';
import { inputSizes } from '../../server/protocol/model/inputSizes.ts';
import { hasEnding, modelEndings } from '../../server/protocol/model/modelEndings.ts';
import { moduleOf } from '../../server/protocol/model/modelExports.ts';
import type { ChosenModel, FoundData, FoundModel, Pixels } from '../../server/protocol/wire/proposals.ts';
import { describeModel, sizesText } from './describeModel.ts';
import { findChoices, type Choices } from './findChoices.ts';
import { browseForModel, templateModel, writeTemplate } from './otherModels.ts';
import { chosenTeacher, type FoundTeacher } from './findTeachers.ts';
import { Proposer } from './proposer.ts';
import { SAMPLE_FILE, SAMPLE_STEPS, writeSampleDigits } from './sample.ts';
import { askText, pickOne, pickSome } from './steps.ts';
import type { Answer, Pick, Step } from './steps.ts';
import { reportError, showInformation } from '../messages.ts';
import { runTitles } from '../runs/runTitles.ts';
import type { Services } from '../services.ts';
import { mayDescribeModels } from '../trust.ts';

type DataChoice = FoundData | 'sample';
type TeacherChoice = FoundTeacher | 'none';
/** The parts of the extension that it works with. */
type Needs = Omit<Services, 'connections' | 'launcher'>;

/** An answer to the first question that is no model yet. */
const OTHER_MODELS = {
  browse: { reference: '' },
  template: { reference: '' },
  import: { reference: '' },
} satisfies Record<string, FoundModel>;

interface Answers {
  model?: ChosenModel;
  /** A model whose file is written with the experiment. */
  template?: FoundModel;
  data?: DataChoice;
  pixels?: Pixels;
  method?: Method;
  layers?: readonly FirstLayer[];
  teacher?: TeacherChoice;
  name?: string;
  /** The layers of the model. */
  known?: { readonly model: ChosenModel | undefined; readonly layers: readonly FirstLayer[] };
}

/** Answers to all questions. */
type Chosen = Answers & Required<Omit<Answers, 'known' | 'pixels' | 'template'>>;

/**
 * Asks, writes the file and opens it.
 * @param given a model that is chosen already
 * @returns undefined if the user cancelled: then nothing was written
 */
export async function newExperiment(needs: Needs, given?: ChosenModel): Promise<Uri | undefined> {
  const proposer = new Proposer(needs.context);
  try {
    const choices = await window.withProgress(
      { location: ProgressLocation.Notification, title: l10n.t('Looking for models and data…'), cancellable: true },
      (_, token) => findChoices(proposer, needs.store, token),
    );
    const answers = choices && (await ask({ ...needs, proposer }, choices, given));
    return answers && (await write(answers, needs.context.extensionUri, proposer));
  } finally {
    proposer.dispose();
  }
}

/** Questions that have one answer are passed over on the way forward; on the way back they are asked. */
async function ask(needs: AskingNeeds, choices: Choices, given?: ChosenModel): Promise<Chosen | undefined> {
  const answers: Answers = { teacher: 'none', ...(given && { model: given }) };
  const all: Question[] = [...(given ? [] : [askModel]), askData, askPixels, askMethod, askLayers, askTeacher, askName];
  let isForward = true;
  for (let index = 0; ;) {
    const questions = all.filter(
      (question) =>
        (question !== askPixels || wantsPixels(answers)) &&
        (question !== askTeacher || teachersFor(answers, choices).length > 0),
    );
    if (index >= questions.length) return answers as Chosen;
    const step = { title: titleOf(answers), step: index + 1, totalSteps: questions.length };
    const answer = await questions[index](step, answers, { needs, choices, isForward });
    if (answer === 'cancelled') return undefined;
    if (answer !== 'passed') isForward = answer !== 'back';
    // A model that could not be used is asked for again.
    index = Math.max(0, index + (isForward ? 1 : -1));
  }
}

/** With what is chosen, or was the only choice. */
function titleOf({ model, data }: Answers): string {
  const chosen = [
    ...(model ? [modelName(model.model)] : []),
    ...(data === undefined ? [] : [data === 'sample' ? SAMPLE_FILE : basename(data.path)]),
  ];
  return [l10n.t('New Experiment'), ...chosen].join(' · ');
}

type AskingNeeds = Needs & { readonly proposer: Proposer };

interface Asking {
  readonly needs: AskingNeeds;
  readonly choices: Choices;
  /** False where the user comes back from a later question. */
  readonly isForward: boolean;
}

/** An answer; `passed` where there was nothing to ask. */
type Asked = Promise<Answer<unknown> | 'passed'>;
type Question = (step: Step, answers: Answers, asking: Asking) => Asked;

async function askModel(step: Step, answers: Answers, { needs, choices, isForward }: Asking): Asked {
  const { models } = choices;
  const own = models.filter(({ reference }) => !isBuiltin(reference));
  if (isForward && own.length === 1) {
    const looked = await lookAt(needs, own[0]);
    if (looked) {
      answers.model = looked;
      return 'passed';
    }
  }
  const item = (model: FoundModel): Pick<FoundModel> => ({
    label: isBuiltin(model.reference) ? modelName(model) : basename(model.reference),
    description: isBuiltin(model.reference)
      ? ''
      : `${model.exportName ?? ''} ${relativeFolder(model.reference)}`.trim(),
    detail: model.layers && l10n.t('Layers: {0}', model.layers.map(({ name }) => name).join(', ')),
    value: model,
  });
  const items = [
    ...(own.length > 0 ? [separator<FoundModel>(l10n.t('In this workspace'))] : []),
    ...own.map(item),
    separator<FoundModel>(l10n.t('Built in')),
    ...models.filter(({ reference }) => isBuiltin(reference)).map(item),
    separator<FoundModel>(l10n.t('Elsewhere')),
    ...(own.length > 0
      ? []
      : [
          {
            label: l10n.t('Import Model…'),
            detail: l10n.t('This workspace has no model yet. See how PyTorch and Keras write one.'),
            value: OTHER_MODELS.import,
            // Also where it does not match what is typed.
            alwaysShow: true,
          },
        ]),
    {
      label: l10n.t('New Model from Template'),
      detail: l10n.t('A module with three layers, which is written beside the experiment.'),
      value: OTHER_MODELS.template,
    },
    {
      label: l10n.t('Browse…'),
      detail: l10n.t('A module that exports a model, or a file of ONNX, Keras or TensorFlow.js.'),
      value: OTHER_MODELS.browse,
    },
  ];
  const placeholder = l10n.t('Select the model to compress');
  const answer = await pickOne(step, { placeholder, items, before: answers.model?.model });
  if (typeof answer !== 'object') return answer;
  if (answer.value === OTHER_MODELS.import) {
    void commands.executeCommand('deeptwist.importModel');
    return 'cancelled';
  }
  if (answer.value !== answers.model?.model) {
    const chosen = await modelOf(answer.value, needs);
    if (!chosen) return 'back';
    answers.data = answers.pixels = answers.layers = answers.name = undefined;
    answers.teacher = 'none';
    const isTemplate = answer.value === OTHER_MODELS.template;
    answers.template = isTemplate ? chosen : undefined;
    const looked = isTemplate ? { model: chosen } : await lookAt(needs, chosen);
    if (!looked) return 'back';
    answers.model = looked;
  }
  return answer;
}

/** @returns undefined where the user picked no file */
function modelOf(chosen: FoundModel, { context, proposer }: AskingNeeds): Promise<FoundModel | undefined> {
  if (chosen === OTHER_MODELS.browse) return browseForModel(proposer);
  if (chosen === OTHER_MODELS.template) return templateModel(proposer, context.extensionUri, activeFolder());
  return Promise.resolve(chosen);
}

/** @returns undefined where the user cancelled, and for a file that cannot be used, which is told of */
async function lookAt({ context, log }: Needs, model: FoundModel): Promise<ChosenModel | undefined> {
  const { reference } = model;
  // Several exports are told apart by name, and a module by itself is described by the one that it is loaded as.
  if (isBuiltin(reference) || model.exportName !== undefined) return { model };
  const isModule = moduleOf(reference) !== undefined;
  if (isModule && !mayDescribeModels()) return { model };
  try {
    const described = await describeModel(context, reference);
    return described && { model, described };
  } catch (error) {
    // A function may want to know its data; its text tells enough.
    if (isModule) return { model };
    reportError(error, log);
    return undefined;
  }
}

async function askData(step: Step, answers: Answers, { needs, choices, isForward }: Asking): Asked {
  const { data } = choices;
  const { model, described } = answers.model!;
  const wordsWanted = model.input === 'words';
  const places = await needs.proposer.ask('fitting', { data, model: answers.model! });
  const fitting = places.map((place) => data[place]);
  if (isForward && fitting.length === 1) {
    answers.data = fitting[0];
    return 'passed';
  }
  const found = fitting.map((value): Pick<DataChoice> => ({
    label: basename(value.path),
    description: relativeFolder(value.path),
    detail: dataDetail(value),
    value,
  }));
  const wanted = inputSizes(described)?.filter((size) => size !== 1);
  const takesDigits = !wanted || ['28,28', '784'].includes(wanted.join());
  const sample: Pick<DataChoice> = {
    label: l10n.t('Sample digits'),
    description: SAMPLE_FILE,
    detail: l10n.t('A module that draws 28 × 28 pictures of ten digits; it is written beside the experiment.'),
    value: 'sample',
  };
  const items = wordsWanted || !takesDigits ? found : [...found, sample];
  if (items.length === 0) {
    void showInformation(
      wordsWanted
        ? l10n.t(
            'A language model needs a folder with NAME.train.txt, NAME.valid.txt and NAME.test.txt in this workspace.',
          )
        : l10n.t(
            'No data of this workspace fit {0}, which takes samples of [{1}]. Put folders train/CLASS and test/CLASS with images, a table, or x_train.npy, y_train.npy, x_test.npy and y_test.npy beside it.',
            modelName(model),
            sizesText(inputSizes(described) ?? []),
          ),
    );
    return step.step > 1 ? 'back' : 'cancelled';
  }
  const answer = await pickOne(step, { placeholder: l10n.t('The data to train with'), items, before: answers.data });
  if (typeof answer === 'object') {
    if (answer.value !== answers.data) answers.teacher = 'none';
    answers.data = answer.value;
  }
  return answer;
}

/** What a data set is, with what was seen of it. */
function dataDetail(data: FoundData): string {
  switch (data.type) {
    case 'mnist':
      return l10n.t('MNIST, or a set in its form');
    case 'images':
      return data.samples === undefined
        ? l10n.t('Images in folders, one for each of {0} classes', data.classes ?? 0)
        : l10n.t('{0} images of {1} classes to train on', formatCount(data.samples), data.classes ?? 0);
    case 'module':
      return l10n.t('A module that exports train and test');
    case 'text':
      return l10n.t('Text: a sentence a line');
    case 'table':
      return data.table.task === 'regression'
        ? l10n.t('A table; the model learns the number in the column {0}', data.table.target)
        : l10n.t('A table; the model learns the class in the column {0}', data.table.target);
    case 'arrays':
      return data.sample
        ? l10n.t('Arrays: {0} samples of [{1}]', data.samples ?? 0, data.sample.join(', '))
        : l10n.t('Arrays');
  }
}

/** A file has weights that were trained on pixels of some form; which one, it does not say. */
function wantsPixels({ model, data }: Answers): boolean {
  return typeof data === 'object' && data.type === 'images' && hasEnding(model!.model.reference, modelEndings);
}

async function askPixels(step: Step, answers: Answers): Asked {
  const isGray = inputSizes(answers.model?.described)?.includes(1) === true;
  const items: Pick<Pixels>[] = [
    { label: l10n.t('From -1 to 1'), detail: 'transforms.Normalize(0.5, 0.5)', value: 'symmetric' },
    ...(isGray
      ? []
      : [
          {
            label: l10n.t('By mean and deviation of ImageNet'),
            detail: 'transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])',
            value: 'imagenet' as const,
          },
        ]),
    { label: l10n.t('From 0 to 1'), detail: 'transforms.ToTensor()', value: 'unit' },
    {
      label: l10n.t('By mean and deviation of these images'),
      detail: l10n.t('If it was other numbers, write them in the file.'),
      value: 'training',
    },
  ];
  const placeholder = l10n.t('The values of pixels that the model was trained with');
  const answer = await pickOne(step, { placeholder, items, before: answers.pixels });
  if (typeof answer === 'object') answers.pixels = answer.value;
  return answer;
}

async function askMethod(step: Step, answers: Answers): Asked {
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

/** Asked for once: a choice is one of the objects that were shown. */
async function layersOf(answers: Answers, proposer: Proposer): Promise<readonly FirstLayer[]> {
  const { model, known } = answers;
  if (known && known.model === model) return known.layers;
  const layers = await proposer.ask('layers', model!);
  answers.known = { model, layers };
  return layers;
}

/** `18,432 weights`; undefined where the model is not described. */
function sizeOf({ name }: FirstLayer, model: ChosenModel | undefined): string | undefined {
  const own = model?.described?.weights.filter(({ layer }) => layer === name) ?? [];
  const count = own.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  return count === 0 ? undefined : l10n.t('{0} weights', formatCount(count));
}

async function askLayers(step: Step, answers: Answers, { needs, isForward }: Asking): Asked {
  const layers = await layersOf(answers, needs.proposer);
  if (isForward && layers.length === 1) {
    answers.layers = layers;
    return 'passed';
  }
  const items = layers.map((value): Pick<FirstLayer> => ({
    label: value.name,
    description: sizeOf(value, answers.model),
    ...(value.name === EVERY_LAYER.name && {
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
    'file' in teacher
      ? teacher.file !== model?.model.reference
      : dataType === undefined || teacher.dataType === dataType,
  );
}

async function askTeacher(step: Step, answers: Answers, { choices }: Asking): Asked {
  const teachers = teachersFor(answers, choices);
  const items: Pick<TeacherChoice>[] = [
    { label: l10n.t('No teacher'), detail: l10n.t('The model learns from the labels alone.'), value: 'none' },
  ];
  const titles = await runTitles(teachers.flatMap((teacher) => ('file' in teacher ? [] : [teacher.run])));
  const runs = teachers.flatMap((teacher): Pick<TeacherChoice>[] => {
    if ('file' in teacher) return [];
    const { run, isNameUnique } = teacher;
    const detail = isNameUnique ? undefined : run.summary.experiment;
    return [{ ...titles.get(run.key)!, ...(detail !== undefined && { detail }), value: teacher }];
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

async function askName(step: Step, answers: Answers): Asked {
  const { model } = answers.model!;
  const folder = folderOf(model);
  const wanted = `${modelName(model)}-${answers.method}`;
  let name = wanted;
  for (let number = 2; existsSync(fileOf(folder, name)); number++) name = `${wanted}-${number}`;
  const answer = await askText(step, {
    prompt: l10n.t('Name of the experiment; the file NAME.deeptwist.jsonc is written to {0}', folder),
    value: answers.name ?? name,
    problem: (text) => {
      if (!/^[\w][\w. -]*$/.test(text)) return l10n.t('Letters, digits, spaces, points, - and _');
      return existsSync(fileOf(folder, text)) ? l10n.t('{0} already exists.', fileOf(folder, text)) : undefined;
    },
  });
  if (typeof answer === 'object') answers.name = answer.value;
  return answer;
}

async function write(
  { model, template, data, pixels, method, layers, teacher, name }: Chosen,
  extensionUri: Uri,
  proposer: Proposer,
): Promise<Uri> {
  const folder = folderOf(model.model);
  const isSample = data === 'sample';
  if (template) await writeTemplate(extensionUri, template);
  const text = await proposer.ask('text', {
    folder,
    model,
    data: isSample ? { type: 'module', path: await writeSampleDigits(extensionUri, folder), targets: 'labels' } : data,
    method,
    layers,
    ...(pixels && { pixels }),
    ...(teacher !== 'none' && { teacher: chosenTeacher(teacher) }),
    ...(isSample && { steps: SAMPLE_STEPS }),
  });
  const file = Uri.file(fileOf(folder, name));
  await workspace.fs.writeFile(file, new TextEncoder().encode(text));
  await window.showTextDocument(file);
  return file;
}

/** A name for an experiment with the model: `lenet` for `…/lenet.ts`, `mobilenet` for `…/mobilenet/model.json`. */
function modelName({ reference }: FoundModel): string {
  if (isBuiltin(reference)) return reference.slice('builtin:'.length);
  const file = basename(reference).replace(/\.[^.]+$/, '');
  return file === 'model' || file === 'index' ? basename(dirname(reference)) : file;
}

function fileOf(folder: string, name: string): string {
  return join(folder, `${name}.deeptwist.jsonc`);
}

/** The folder for the new file: that of the model; for a built-in one, the workspace folder of the active editor. */
function folderOf({ reference }: FoundModel): string {
  return isBuiltin(reference) ? activeFolder() : dirname(reference);
}

function activeFolder(): string {
  const open = window.activeTextEditor?.document.uri;
  const folder = (open && workspace.getWorkspaceFolder(open)) ?? workspace.workspaceFolders![0];
  return folder.uri.fsPath;
}

function isBuiltin(reference: string): boolean {
  return reference.startsWith('builtin:');
}

/** Folder of a path, relative to the workspace; empty at the top of a workspace folder. */
export function relativeFolder(path: string): string {
  const folder = dirname(path);
  const isTop = workspace.workspaceFolders?.some(({ uri }) => uri.fsPath === folder);
  return isTop ? '' : workspace.asRelativePath(folder);
}

function separator<T>(label: string): Pick<T> {
  return { label, kind: QuickPickItemKind.Separator };
}
