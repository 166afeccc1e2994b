"""Writes tests/compat/npz: files of NumPy (2.x) and ml_dtypes that src/io/npz/npz_test.cpp reads, and writes byte for byte.

    /work/venv/bin/python tools/golden/npz.py

Element i of every array is (7 i mod 11) - 3 in signed types, 7 i mod 11 in unsigned ones, i mod 2 in bool.
"""

import pathlib

import ml_dtypes
import numpy as np

OUT = pathlib.Path(__file__).resolve().parent.parent.parent / "tests" / "compat" / "npz"


def numbers(shape, dtype):
    i = np.arange(int(np.prod(shape)))
    dtype = np.dtype(dtype)
    v = i % 2 if dtype == bool else (7 * i) % 11 - (0 if dtype.kind == "u" else 3)
    return v.astype(dtype).reshape(shape)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    kinds = {"f2": "<f2", "f4": "<f4", "f8": "<f8", "i1": "i1", "u1": "u1", "i2": "<i2", "u2": "<u2", "i4": "<i4", "u4": "<u4",
             "i8": "<i8", "u8": "<u8", "b1": "?", "bf16": ml_dtypes.bfloat16}
    arrays = {k: numbers((2, 3), d) for k, d in kinds.items()}
    np.savez(OUT / "dtypes.npz", **arrays)
    np.savez_compressed(
        OUT / "forms.npz", fortran=np.asfortranarray(numbers((2, 3, 4), "<f4")), big=numbers((5,), ">f8"),
        big_widened=numbers((5,), ">i2"), scalar=numbers((), "<f4"), empty=numbers((0, 3), "<f4"),
        fortran_bool=np.asfortranarray(numbers((3, 3), "?")), zeros=np.zeros(200000, "<f4"))
    np.save(OUT / "plain.npy", numbers((3, 4), "<f4"))
    for version in (2, 3):
        with open(OUT / f"v{version}.npy", "wb") as f:
            np.lib.format.write_array(f, numbers((7,), "<i8"), version=(version, 0))
    np.save(OUT / "objects.npy", np.array([{"a": 1}, None], dtype=object), allow_pickle=True)
    np.save(OUT / "text.npy", np.array(["a", "bc"]))
    words = np.array([["a", "Łódź", ""], ["naïve 😀", "x\x00y", "tail "]])
    np.savez(OUT / "strings.npz", u=words, big=words.astype(">U8"), fortran=np.asfortranarray(words), s=np.array([b"ab", b"", b"\xff\x00z"]),
             scalar=np.array("one"), none=np.zeros((0, 2), "<U3"), numbers=numbers((2, 2), "<f4"))
    np.save(OUT / "record.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
    print("numpy", np.__version__, "ml_dtypes", ml_dtypes.__version__)


main()
