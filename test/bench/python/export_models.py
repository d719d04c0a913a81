"""Writes models of PyTorch as ONNX, with what PyTorch and ONNX Runtime make of a batch: the reference for `npm run bench -- imported`.

For each model a folder with
  model.onnx       exported for training, so that its batch normalizations are operators of their own
  reference.npz    input, target, `predicted` (ONNX Runtime, in inference mode), `loss`, `gradient:NAME` of every parameter and
                   `running:NAME` of every buffer after that step (PyTorch in float64, in training mode), and `float32:NAME`, the
                   gradient that PyTorch computes in float32
"""

import argparse
import copy
import dataclasses
import pathlib
import warnings
from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import torch
import torchvision
import transformers
from torch import nn
from torch.nn import functional

CLASSES = 10
# Number of words that texts are made of; word 0 is padding.
WORDS = 50


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


class Recurrent(nn.Module):
    """A classifier of texts by the last output, or by the last states of both directions, with initial states of zeros."""

    def __init__(self, kind, layers, bidirectional=False):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, 16)
        self.rnn = getattr(nn, kind)(16, 24, num_layers=layers, batch_first=True, bidirectional=bidirectional)
        self.fc = nn.Linear(48 if bidirectional else 24, CLASSES)

    def forward(self, tokens):
        embedded = self.embedding(tokens)
        if not self.rnn.bidirectional:
            return self.fc(self.rnn(embedded)[0][:, -1])
        zeros = embedded.new_zeros(2 * self.rnn.num_layers, tokens.shape[0], self.rnn.hidden_size)
        _, last = self.rnn(embedded, (zeros, zeros) if isinstance(self.rnn, nn.LSTM) else zeros)
        hidden = last[0] if isinstance(self.rnn, nn.LSTM) else last
        return self.fc(torch.cat([hidden[-2], hidden[-1]], 1))


class Encoder(nn.Module):
    """PyTorch's own Transformer encoder over texts with padding."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, 16)
        layer = nn.TransformerEncoderLayer(16, 2, 32, activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.fc = nn.Linear(16, CLASSES)

    def forward(self, tokens):
        hidden = self.encoder(self.embedding(tokens), src_key_padding_mask=tokens == 0)
        return self.fc(hidden.mean(1))


SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


class Logits(nn.Module):
    """A model of transformers as a function of one tensor."""

    def __init__(self, model):
        super().__init__()
        self.model = model


class Bert(Logits):
    def __init__(self):
        config = transformers.BertConfig(
            vocab_size=WORDS, max_position_embeddings=32, num_labels=CLASSES, attention_probs_dropout_prob=0.0, **SIZES
        )
        super().__init__(transformers.BertForSequenceClassification(config))

    def forward(self, tokens):
        return self.model(input_ids=tokens, attention_mask=(tokens != 0).long()).logits


class Gpt2(Logits):
    def __init__(self):
        config = transformers.GPT2Config(
            vocab_size=WORDS, n_positions=32, n_embd=32, n_layer=2, n_head=2, attn_pdrop=0.0
        )
        super().__init__(transformers.GPT2LMHeadModel(config))

    def forward(self, tokens):
        # Without a mask, the older exporter would have to write how packed sequences are found, which it cannot.
        return self.model(input_ids=tokens, attention_mask=torch.ones_like(tokens), use_cache=False).logits


class ViT(Logits):
    def __init__(self):
        config = transformers.ViTConfig(image_size=16, patch_size=4, num_labels=CLASSES, **SIZES)
        super().__init__(transformers.ViTForImageClassification(config))

    def forward(self, images):
        return self.model(pixel_values=images).logits


@dataclasses.dataclass(frozen=True)
class Subject:
    create: Callable[[], nn.Module]
    # Shape of a sample.
    shape: tuple[int, ...]
    # Samples: few, so that no activation is so close to the corner of a ReLU that rounding decides, but enough for the variances of
    # batch normalization.
    batch: int
    # What is learned: a class, an image, the next word.
    target: str = "class"
    # Samples are words, some of them padding at the end.
    is_text: bool = False

    def inputs(self):
        if not self.is_text:
            return torch.randn(self.batch, *self.shape)
        tokens = torch.randint(1, WORDS, (self.batch, *self.shape))
        if self.target == "class":
            tokens[0, -3:] = 0
        return tokens

    def targets(self):
        if self.target == "image":
            return torch.randn(self.batch, 2, *self.shape[1:])
        if self.target == "word":
            return torch.randint(1, WORDS, (self.batch, *self.shape))
        return torch.randint(0, CLASSES, (self.batch,))


def torchvision_model(name):
    return lambda: getattr(torchvision.models, name)(num_classes=CLASSES)


def text(create, **options):
    return Subject(create, (12,), 4, is_text=True, **options)


MODELS = {
    "lenet": Subject(LeNet, (1, 28, 28), 16),
    "resnet18": Subject(torchvision_model("resnet18"), (3, 64, 64), 4),
    "mobilenet_v2": Subject(torchvision_model("mobilenet_v2"), (3, 64, 64), 16),
    "densenet121": Subject(torchvision_model("densenet121"), (3, 96, 96), 8),
    "unet": Subject(UNet, (3, 32, 32), 4, target="image"),
    "lstm": text(lambda: Recurrent("LSTM", 2)),
    "gru": text(lambda: Recurrent("GRU", 2)),
    "rnn": text(lambda: Recurrent("RNN", 1)),
    "bilstm": text(lambda: Recurrent("LSTM", 2, bidirectional=True)),
    "bigru": text(lambda: Recurrent("GRU", 1, bidirectional=True)),
    "encoder": text(Encoder),
    "bert-tiny": text(Bert),
    "gpt2-tiny": text(Gpt2, target="word"),
    "vit-tiny": Subject(ViT, (3, 16, 16), 4),
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
        if isinstance(module, nn.MultiheadAttention):
            module.dropout = 0.0
    return model


def step(model, x, target):
    output = model(x)
    if target.is_floating_point():
        loss = functional.mse_loss(output, target.to(output.dtype))
    else:
        loss = functional.cross_entropy(output.flatten(0, -2), target.flatten())
    loss.backward()
    return loss.item()


def write(name, folder, dynamo):
    torch.manual_seed(0)
    subject = MODELS[name]
    model = without_dropout(subject.create())
    x = subject.inputs()
    # A few steps away from the initial statistics of batch normalization, so that inference differs from training.
    model.train()
    with torch.no_grad():
        for _ in range(5):
            model(subject.inputs())
    target = subject.targets()

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
    loss = step(precise, x if subject.is_text else x.double(), target)
    step(model, x, target)
    arrays = {"input": x.numpy(), "target": target.numpy(), "predicted": predicted, "loss": np.float32(loss)}
    # A weight that two modules share has both names: exporters keep one of them.
    everything = {"remove_duplicate": False}
    for (key, value), (_, in_float32) in zip(precise.named_parameters(**everything), model.named_parameters(**everything)):
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
