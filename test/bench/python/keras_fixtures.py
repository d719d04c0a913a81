"""Models of Keras as files with what they predict, and these as fixtures of a few kilobytes."""

import gzip
import zipfile

import numpy as np


def save(model, folder, inputs, outputs):
    """Writes model.keras, model.h5, weights.weights.h5, and the batch with the outputs to reference.npz."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / "model.keras")
    model.save(folder / "model.h5")
    model.save_weights(folder / "weights.weights.h5")
    arrays = {f"input{i}": value for i, value in enumerate(inputs)}
    arrays |= {f"output{i}": value for i, value in enumerate(outputs)}
    np.savez_compressed(folder / "reference.npz", **arrays)


def compress(folder):
    """Makes a fixture of a few kilobytes: the archive is deflated, as other programs do it, and HDF5 files are in gzip."""
    archive = folder / "model.keras"
    with zipfile.ZipFile(archive) as stored:
        contents = {name: stored.read(name) for name in stored.namelist()}
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as deflated:
        for name, content in contents.items():
            deflated.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    for name in ["model.h5", "weights.weights.h5"]:
        content = (folder / name).read_bytes()
        (folder / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
        (folder / name).unlink()
