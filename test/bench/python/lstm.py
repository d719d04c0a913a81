"""PyTorch's side of the LSTM benchmark: forward, backward, clipping by global norm and SGD of a language model.

Zaremba et al. 2014: embedding, LSTM layers whose state goes on from batch to batch, softmax; the gradient is that of the
losses summed over time and averaged over the batch. The batch file holds int32 words [batches, batch, time], then the
words that follow them, in the same shape.
"""

import argparse

import numpy
import torch
from torch import nn
from torch.nn import functional

from serve import describe_torch, serve_steps


class LanguageModel(nn.Module):
    def __init__(self, words, units, layers, dropout):
        super().__init__()
        self.embedding = nn.Embedding(words, units)
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(units, units, layers, dropout=dropout)
        self.softmax = nn.Linear(units, words)

    def forward(self, inputs, state):
        outputs, state = self.lstm(self.dropout(self.embedding(inputs)), state)
        return self.softmax(self.dropout(outputs)).flatten(0, 1), state


def read_batches(path, count, size, time):
    """Time first, which nn.LSTM takes without a copy."""
    with open(path, "rb") as file:
        words = numpy.fromfile(file, dtype="<i4", count=2 * count * size * time).reshape(2, count, size, time)
    inputs, targets = torch.from_numpy(words).long().transpose(2, 3).contiguous()
    return list(inputs), list(targets.flatten(1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--units", type=int, required=True)
    parser.add_argument("--layers", type=int, required=True)
    parser.add_argument("--words", type=int, required=True, help="in the vocabulary")
    parser.add_argument("--dropout", type=float, required=True)
    parser.add_argument("--clip", type=float, required=True, help="largest global norm of the gradient")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--without-onednn", action="store_true", help="LSTM of ATen's own kernels")
    parser.add_argument("--compile", action="store_true", help="torch.compile, nn.LSTM included")
    parser.add_argument("--batches", required=True, help="batch file")
    parser.add_argument("--count", type=int, required=True, help="batches in the file")
    parser.add_argument("--size", type=int, required=True, help="samples in a batch")
    parser.add_argument("--time", type=int, required=True, help="time steps")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.backends.mkldnn.enabled = not options.without_onednn
    torch.manual_seed(1)
    model = LanguageModel(options.words, options.units, options.layers, options.dropout)
    if options.compile:
        torch._dynamo.config.allow_rnn = True
        model = torch.compile(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=1, fused=True)
    inputs, targets = read_batches(options.batches, options.count, options.size, options.time)
    zeros = torch.zeros(options.layers, options.size, options.units)
    state = (zeros, zeros)

    def step(index):
        nonlocal state
        batch = index % options.count
        logits, state = model(inputs[batch], state)
        state = tuple(part.detach() for part in state)
        loss = functional.cross_entropy(logits, targets[batch]) * options.time
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), options.clip, foreach=True)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    serve_steps({**describe_torch(torch), "oneDNN": torch.backends.mkldnn.enabled}, step)


if __name__ == "__main__":
    main()
