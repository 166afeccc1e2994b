#!/usr/bin/env python3
"""Writes tests/compat/hdf5 with h5py: forms of HDF5 that Keras does not write but users' tools do, and files to refuse.

    python tools/golden/hdf5_files.py tests/compat/hdf5
"""
import os
import pathlib
import sys

import h5py
import numpy as np

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
os.chdir(out)
X = np.arange(200, dtype="float32").reshape(20, 10)


def sample(name, dtype="float32", libver=None, **options):
    with h5py.File(name, "w", libver=libver) as f:
        g = f.create_group("a")
        g.attrs["note"] = "text"
        g.create_group("b").create_dataset("x", data=X.astype(dtype), **options)


sample("gzip.h5", chunks=(4, 5), compression="gzip", shuffle=True, fletcher32=True)
sample("latest.h5", libver="latest", chunks=(7, 3), compression="gzip")
sample("big_endian.h5", dtype=">f8")
with h5py.File("soft_link.h5", "w") as f:
    f["x"] = X
    f["link"] = h5py.SoftLink("/x")
with h5py.File("external_link.h5", "w") as f:
    f["link"] = h5py.ExternalLink("/etc/passwd", "/x")
with h5py.File("external_data.h5", "w") as f:
    f.create_dataset("x", (8,), "uint8", external=[("/etc/passwd", 0, 8)])
with h5py.File("virtual.h5", "w") as f:
    layout = h5py.VirtualLayout(shape=(20, 10), dtype="float32")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(20, 10))
    f.create_virtual_dataset("x", layout)
with h5py.File("boast.h5", "w") as f:  # 4 TB of which nothing is stored
    f.create_dataset("x", (1 << 40,), "float32", chunks=(1 << 16,), compression="gzip")
with h5py.File("cycle.h5", "w") as f:
    g = f.create_group("a/b")
    g["back"] = f["a"]
