"""What TensorBoard's EventAccumulator has of a folder with event files, as JSON: scalars and histograms by their tags."""
import json
import sys

import tensorboard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

ALL = {kind: 0 for kind in ("scalars", "histograms", "tensors", "compressedHistograms", "images", "audio")}
accumulator = EventAccumulator(sys.argv[1], size_guidance=ALL)
accumulator.Reload()
tags = accumulator.Tags()
json.dump(
    {
        "version": tensorboard.__version__,
        "scalars": {tag: [[e.step, e.value] for e in accumulator.Scalars(tag)] for tag in tags["scalars"]},
        "histograms": {
            tag: [
                [e.step, e.histogram_value.min, list(e.histogram_value.bucket_limit), list(e.histogram_value.bucket)]
                for e in accumulator.Histograms(tag)
            ]
            for tag in tags["histograms"]
        },
        "texts": [tag for tag in tags["tensors"] if accumulator.SummaryMetadata(tag).plugin_data.plugin_name == "text"],
        "hparams": [tag for tag in tags["tensors"] if accumulator.SummaryMetadata(tag).plugin_data.plugin_name == "hparams"],
    },
    sys.stdout,
    allow_nan=False,
)
