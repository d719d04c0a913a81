/** @file Entry point of the thread that looks at the files of a workspace for a new experiment, and writes its text. */
import { parentPort } from 'node:worker_threads';
import { openModelFile } from '../inspect/modelFile.ts';
import { newMethods } from '../protocol/experiment/methods/newMethods.ts';
import { torchExportScript } from '../protocol/model/exportFromPython.ts';
import { modelClasses } from '../protocol/model/pythonModules.ts';
import { messageOf } from '../protocol/thrown.ts';
import type { ProposalAnswer, ProposalCalls, ProposalName, ProposalRequest } from '../protocol/wire/proposals.ts';
import { beginningOf } from './beginningOf.ts';
import { chosenExperimentText, layersOf } from './chosenExperiment.ts';
import { experimentText } from './experimentText.ts';
import { findData } from './findData.ts';
import { findModels, sampleModel } from './findModels.ts';
import { fittingData } from './foundData.ts';
import { hasModelLayers } from './modelSource.ts';

/** Bytes in which a safetensors file tells that it has the layers of its model. */
const HEAD_BYTES = 256 * 1024;

type Answers = {
  readonly [N in ProposalName]: (
    question: Parameters<ProposalCalls[N]>[0],
  ) => ReturnType<ProposalCalls[N]> | Promise<ReturnType<ProposalCalls[N]>>;
};

const answers: Answers = {
  async find(files) {
    const { models, data } = await findModels(files);
    const tensors = files.arrays.filter((path) => path.endsWith('.safetensors'));
    return {
      models,
      data: [...(await findData(files, tensorsOf)), ...data],
      teachers: [...files.models, ...tensors.filter((path) => hasModelLayers(beginningOf(path, HEAD_BYTES)))],
    };
  },
  fitting: ({ data, model }) => fittingData(data, model),
  layers: layersOf,
  text: chosenExperimentText,
  torchScript({ module, text }) {
    const [className, another] = modelClasses(text);
    return torchExportScript(className === undefined || another !== undefined ? undefined : { module, className });
  },
  sample: ({ module, steps }) =>
    experimentText({
      model: sampleModel.reference,
      data: { type: 'module', path: module },
      method: newMethods[0],
      layers: sampleModel.layers ?? [],
      steps,
    }),
};

parentPort?.on('message', (request: ProposalRequest) => {
  answerTo(request).then(
    (answer) => parentPort?.postMessage({ answer } satisfies ProposalAnswer),
    (error: unknown) => parentPort?.postMessage({ problem: messageOf(error) } satisfies ProposalAnswer),
  );
});

async function answerTo<N extends ProposalName>({ name, question }: ProposalRequest<N>): Promise<unknown> {
  return answers[name](question);
}

async function tensorsOf(path: string) {
  const file = await openModelFile(path).catch(() => undefined); // It is damaged, or gone.
  if (!file) return [];
  const seen = file.tensors.map(({ name, shape, dtype }) => ({ name, shape, dtype }));
  await file.close();
  return seen;
}
