/** @file How programs of Python write the files that an experiment can name as its model: texts to paste. docs/importing.md has the same call. */

/** What is known of the user's code. */
export interface PythonModel {
  /** Name of the module that can be imported: `net` for `net.py`. */
  readonly module: string;
  /** Name of the class that is the model. */
  readonly className: string;
}

/** The call of `torch.onnx.export`, which keeps batch normalizations as they are and takes batches of any size. */
export const TORCH_EXPORT = `model.train()
torch.onnx.export(
    model, example, "net.onnx", dynamo=False, opset_version=17,
    input_names=["input"], output_names=["output"], dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
    training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False,
)
`;

/** A script that exports a model. @param known without it, names are left to the reader */
export function torchExportScript(known?: PythonModel): string {
  const { module, className } = known ?? { module: 'net', className: 'Net' };
  return `import torch

from ${module} import ${className}${known ? '' : '  # your model'}

model = ${className}()
# model.load_state_dict(torch.load("net.pt"))  # its trained weights, where there are some
example = torch.zeros(1, 3, 224, 224)  # a batch of one sample, as the model takes it
${TORCH_EXPORT}`;
}
