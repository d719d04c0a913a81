"""Writes PyTorch models' state dicts with inputs and outputs: what `start` of an experiment loads.

    python state_dicts.py FOLDER            models of ordinary sizes (test/bench/state-dicts.ts)
    python state_dicts.py FOLDER --small    test/unit/inspect/fixtures/torch, for the tests of `inspect` and of `start`

Each model is NAME.pt, and its inputs x (images as [batch, height, width, channels]) and outputs y are NAME-outputs.safetensors.
The fixtures were made with torch 2.15.0 and safetensors 0.8.0.
"""

import argparse
import json
import pathlib
from collections import OrderedDict

import torch
from safetensors.torch import save_file
from torch import nn


class LeNet(nn.Module):
    def __init__(self, filters, units):
        super().__init__()
        self.conv1 = nn.Conv2d(1, filters[0], 5)
        self.conv2 = nn.Conv2d(filters[0], filters[1], 5)
        self.fc1 = nn.Linear(filters[1] * 16, units)
        self.fc2 = nn.Linear(units, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.conv1(x), 2)
        x = nn.functional.max_pool2d(self.conv2(x), 2)
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))


def normalized(filters):
    """Names by position, as nn.Sequential gives them: nothing of them is in the other model."""
    return nn.Sequential(
        nn.Conv2d(3, filters, 3, padding=1, bias=False),
        nn.BatchNorm2d(filters),
        nn.ReLU(),
        nn.Conv2d(filters, filters, 3, padding=1, groups=filters, bias=False),
        nn.BatchNorm2d(filters),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.LayerNorm(filters),
        nn.Linear(filters, 5),
    )


class Recurrent(nn.Module):
    def __init__(self, kind, words, units, **options):
        super().__init__()
        self.embedding = nn.Embedding(words, units)
        self.rnn = kind(units, units, batch_first=True, **options)
        self.fc = nn.Linear(units * (2 if options.get("bidirectional") else 1), 3)

    def forward(self, x):
        return self.fc(self.rnn(self.embedding(x))[0].mean(1))


def models(small):
    units = 6 if small else 128
    words = 11 if small else 5000
    images = lambda *shape: torch.randn(2, *shape)
    tokens = lambda: torch.randint(words, (2, 7 if small else 50))
    yield "lenet", LeNet((3, 4) if small else (20, 50), 8 if small else 500), images(1, 28, 28)
    yield "normalized", normalized(4 if small else 64), images(3, 8, 8)
    yield "lstm", Recurrent(nn.LSTM, words, units, num_layers=2), tokens()
    yield "bidirectional", Recurrent(nn.LSTM, words, units, bidirectional=True), tokens()
    yield "gru", Recurrent(nn.GRU, words, units), tokens()


def write_models(folder, small):
    for name, model, x in models(small):
        model.train()
        model(x)  # Moves the running statistics of batch norms off 0 and 1.
        model.eval()
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim == 1:  # Biases and scales of their own.
                    parameter += 0.1 * torch.randn_like(parameter)
            y = model(x)
        torch.save(model.state_dict(), folder / f"{name}.pt")
        x = x.permute(0, 2, 3, 1).contiguous() if x.ndim == 4 else x.to(torch.int32)
        save_file({"x": x, "y": y}, folder / f"{name}-outputs.safetensors")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 3)
        self.fc2 = nn.Linear(3, 2)


class Evil:
    def __reduce__(self):
        import os

        return os.system, ("touch executed",)


def write_files(folder):
    """One small net in every form that torch.save and safetensors have for it."""
    net = Net()
    state = {name: value.clone() for name, value in net.state_dict().items()}
    torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(state, folder / "protocol4.pt", pickle_protocol=4)
    optimizer = torch.optim.Adam(net.parameters())
    net.fc2(net.fc1(torch.randn(2, 4))).sum().backward()
    optimizer.step()
    torch.save(
        {"epoch": 3, "model_state_dict": net.state_dict(), "optimizer": optimizer.state_dict(), "loss": 0.5},
        folder / "checkpoint.pt",
    )
    base = torch.arange(24, dtype=torch.float32)
    numbers = {
        "transposed": base.view(4, 6).t(),
        "part": base.view(4, 6)[1:3, 2:5],
        "whole": base,
        "again": base,
        "expanded": torch.tensor([7.0]).expand(2, 3),
        "scalar": torch.tensor(5),
        "empty": torch.zeros(0, 3),
        "parameter": nn.Parameter(torch.ones(2)),
        "complex": torch.tensor([1 + 2j]),
    }
    for dtype in ("float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "uint16", "float8_e4m3fn"):
        numbers[dtype] = torch.tensor([0, 1, 2, 7]).to(getattr(torch, dtype))
    numbers["bool"] = torch.tensor([True, False])
    torch.save(OrderedDict(numbers), folder / "numbers.pt")
    torch.save(net, folder / "module.pt")
    torch.save({"fc1.weight": state["fc1.weight"], "run": Evil()}, folder / "evil.pt")
    torch.jit.script(nn.Linear(2, 2)).save(str(folder / "scripted.pt"))

    halves = {name: value.to(torch.bfloat16) for name, value in state.items()}
    shards = {"model-00001-of-00002.safetensors": ["fc1.weight", "fc1.bias"], "model-00002-of-00002.safetensors": ["fc2.weight", "fc2.bias"]}
    for shard, names in shards.items():
        save_file({name: halves[name] for name in names}, folder / shard, metadata={"format": "pt"})
    index = {"metadata": {"total_size": 46}, "weight_map": {name: shard for shard, names in shards.items() for name in names}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
    save_file({name: value.to(torch.float16) for name, value in state.items()}, folder / "halves.safetensors")
    save_file(state, folder / "floats.safetensors")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    write_models(options.folder, options.small)
    if options.small:
        write_files(options.folder)
