"""Writes models of PyTorch as ONNX, with what PyTorch and ONNX Runtime make of a batch: the reference for `npm run bench -- imported`.

For each model a folder with
  model.onnx       exported for training, so that its batch normalizations are operators of their own
  reference.npz    input, target, `predicted` (ONNX Runtime, in inference mode), `loss`, `gradient:NAME` of every parameter and
                   `running:NAME` of every buffer after that step (PyTorch in float64, in training mode), and `float32:NAME`, the
                   gradient that PyTorch computes in float32
"""

import argparse
import copy
import pathlib
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
import torchvision
from torch import nn
from torch.nn import functional

CLASSES = 10


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(800, 500)
        self.fc2 = nn.Linear(500, CLASSES)

    def forward(self, x):
        x = functional.max_pool2d(self.conv1(x), 2)
        x = functional.max_pool2d(self.conv2(x), 2)
        return self.fc2(functional.relu(self.fc1(torch.flatten(x, 1))))


class Block(nn.Sequential):
    def __init__(self, inputs, outputs):
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=2, dilation=2),
            nn.GroupNorm(4, outputs),
            nn.GELU(),
        )


class UNet(nn.Module):
    """Ronneberger et al. 2015, with two levels: one goes up by a transposed convolution, one by bilinear interpolation."""

    def __init__(self):
        super().__init__()
        self.down1 = Block(3, 8)
        self.down2 = Block(8, 16)
        self.bottom = Block(16, 32)
        self.up2 = nn.ConvTranspose2d(32, 16, 3, stride=2, padding=1, output_padding=1)
        self.join2 = Block(32, 16)
        self.up1 = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.join1 = Block(24, 8)
        self.out = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        first = self.down1(x)
        second = self.down2(functional.max_pool2d(first, 2))
        bottom = self.bottom(functional.avg_pool2d(second, 3, stride=2, padding=1))
        second = self.join2(torch.cat([self.up2(bottom), second], 1))
        first = self.join1(torch.cat([self.up1(second), first], 1))
        return self.out(first)


def torchvision_model(name):
    return getattr(torchvision.models, name)(num_classes=CLASSES)


# Constructor, shape of a sample, whether the target is an image, and samples of the batch: few, so that no activation is so close to
# the corner of a ReLU that rounding decides, but enough for the variances of batch normalization.
MODELS = {
    "lenet": (LeNet, (1, 28, 28), False, 16),
    "resnet18": (lambda: torchvision_model("resnet18"), (3, 64, 64), False, 4),
    "mobilenet_v2": (lambda: torchvision_model("mobilenet_v2"), (3, 64, 64), False, 16),
    "densenet121": (lambda: torchvision_model("densenet121"), (3, 96, 96), False, 8),
    "unet": (UNet, (3, 32, 32), True, 4),
}


def export(model, example, path, dynamo):
    common = {"input_names": ["input"], "output_names": ["output"]}
    if dynamo:
        batch = torch.export.Dim("batch")
        # Optimizing makes batch normalizations a part of convolutions.
        dynamic = {"dynamic_shapes": ({0: batch},), "external_data": False, "optimize": False}
        torch.onnx.export(model, (example,), path, dynamo=True, **dynamic, **common)
        return
    torch.onnx.export(
        model,
        (example,),
        path,
        dynamo=False,
        opset_version=17,
        training=torch.onnx.TrainingMode.TRAINING,
        do_constant_folding=False,
        dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
        **common,
    )


def without_dropout(model):
    """Random numbers of PyTorch and of DeepTwist are not the same."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model


def step(model, x, target, is_image):
    output = model(x)
    loss = functional.mse_loss(output, target.to(x.dtype)) if is_image else functional.cross_entropy(output, target)
    loss.backward()
    return loss.item()


def write(name, folder, dynamo):
    torch.manual_seed(0)
    create, shape, is_image, batch = MODELS[name]
    model = without_dropout(create())
    x = torch.randn(batch, *shape)
    # A few steps away from the initial statistics of batch normalization, so that inference differs from training.
    model.train()
    with torch.no_grad():
        for _ in range(5):
            model(torch.randn(batch, *shape))
    target = torch.randn(batch, 2, *shape[1:]) if is_image else torch.randint(0, CLASSES, (batch,))

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    export(copy.deepcopy(model).train(not dynamo), x, str(path), dynamo)
    # Exporting for training is a step, which moves the running statistics: the file has the moved ones.
    written = {tensor.name: torch.tensor(onnx.numpy_helper.to_array(tensor)) for tensor in onnx.load(path).graph.initializer}
    model.load_state_dict({key: written.get(key, value) for key, value in model.state_dict().items()})
    inference = folder / "inference.onnx"
    torch.onnx.export(
        copy.deepcopy(model).eval(),
        (x,),
        str(inference),
        dynamo=False,
        opset_version=17,
        do_constant_folding=False,
        input_names=["input"],
    )
    session = onnxruntime.InferenceSession(str(inference), providers=["CPUExecutionProvider"])
    (predicted,) = session.run(None, {"input": x.numpy()})

    precise = copy.deepcopy(model).double()
    loss = step(precise, x.double(), target, is_image)
    step(model, x, target, is_image)
    arrays = {"input": x.numpy(), "target": target.numpy(), "predicted": predicted, "loss": np.float32(loss)}
    for (key, value), in_float32 in zip(precise.named_parameters(), model.parameters()):
        arrays[f"gradient:{key}"] = value.grad.float().numpy()
        arrays[f"float32:{key}"] = in_float32.grad.numpy()
    arrays |= {f"running:{key}": value.float().numpy() for key, value in precise.named_buffers() if value.is_floating_point()}
    np.savez(folder / "reference.npz", **arrays)
    inference.unlink()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--dynamo", action="store_true")
    parser.add_argument("models", nargs="*", default=list(MODELS))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for name in options.models:
        write(name, options.out / name, options.dynamo)
        print(name, flush=True)


if __name__ == "__main__":
    main()
