/** @file Entry point of the thread that looks at the files of a workspace for a new experiment, and writes its text. */
import { parentPort } from 'node:worker_threads';
import { newMethods } from '../protocol/experiment/methods/newMethods.ts';
import { torchExportScript } from '../protocol/model/exportFromPython.ts';
import { modelClasses } from '../protocol/model/pythonModules.ts';
import { messageOf } from '../protocol/thrown.ts';
import type { ProposalAnswer, ProposalCalls, ProposalName, ProposalRequest } from '../protocol/wire/proposals.ts';
import { chosenExperimentText, layersOf } from './chosenExperiment.ts';
import { experimentText } from './experimentText.ts';
import { sampleModel } from './findModels.ts';
import { findProposals } from './findProposals.ts';
import { fittingData } from './foundData.ts';

type Answers = {
  readonly [N in ProposalName]: (
    question: Parameters<ProposalCalls[N]>[0],
  ) => ReturnType<ProposalCalls[N]> | Promise<ReturnType<ProposalCalls[N]>>;
};

const answers: Answers = {
  find: findProposals,
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
