/** @file The model card of an exported model: https://huggingface.co/docs/hub/model-cards */
import { formatBytes, formatNumber } from '../../protocol/formatQuantity.ts';
import { cardFrontMatter } from '../../protocol/model/cardFrontMatter.ts';
import type { ExportFigures } from '../format.ts';

/** Front matter in YAML, of which JSON is a part, then what the model is and how its files were measured. */
export function modelCard(figures: ExportFigures): string {
  const { run, step, metric, value, runValue, files, weights, inputs, outputs, largestDifference } = figures;
  const port = ({ name, type, shape }: (typeof inputs)[number]) => `\`${name}\` ${type} [${shape.join(', ')}]`;
  const rows = files.map(({ name, bytes }) => `| \`${name}\` | ${formatBytes(bytes)} |`);
  const when = step === undefined ? 'the final model' : `the checkpoint of step ${step}`;
  const front = cardFrontMatter({
    name: run ?? 'Model',
    tags: ['deeptwist', 'model-compression', 'safetensors', 'onnx'],
    metrics: [metric],
  });
  return `${front}
# ${(run ?? 'Model').replaceAll('_', '\\_')}

A compressed neural network${run === undefined ? '' : `: ${when} of the run \`${run}\` of DeepTwist`}. \`config.json\` has
the settings of its training and its layers.

| on the test split | ${metric} |
| --- | ---: |
| these files | ${formatNumber(value)} |
${runValue === undefined ? '' : `| the run when it ended | ${formatNumber(runValue)} |\n`}
Outputs of the files differ from those of the trained model by at most ${largestDifference.toPrecision(2)}.

| file | size |
| --- | ---: |
${rows.join('\n')}

- \`model.safetensors\` has ${weights.length} tensors as floats.
- \`onnx/model.onnx\` is the same model for ONNX Runtime, which decodes compressed weights when it loads the file.

Inputs: ${inputs.map(port).join('; ')}. Outputs: ${outputs.map(port).join('; ')}.

## Use

\`\`\`python
import onnxruntime

session = onnxruntime.InferenceSession("onnx/model.onnx")
outputs = session.run(None, {${inputs.map(({ name }) => `${JSON.stringify(name)}: …`).join(', ')}})
\`\`\`
`;
}
