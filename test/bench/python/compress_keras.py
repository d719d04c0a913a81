"""Files of Keras as fixtures of a few kilobytes."""

import gzip
import zipfile


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
