#!/usr/bin/env python3
"""Small image files and what Pillow (through keras.utils.load_img) and tf.image.resize make of them.

    python tools/golden/images.py        (keras, tensorflow, pillow) writes tests/golden/images
"""
import pathlib
import sys

import numpy as np
from PIL import Image

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/images"


def main():
    import keras
    import tensorflow as tf

    OUT.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(3)
    height, width = 11, 13
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([x * 19 % 256, y * 23 % 256, (x * y * 3) % 256], -1).astype(np.uint8)
    alpha = np.concatenate([rgb, rng.integers(0, 256, (height, width, 1), dtype=np.uint8)], -1)
    files = {"rgb.png": Image.fromarray(rgb), "rgba.png": Image.fromarray(alpha), "grey.png": Image.fromarray(rgb[..., 0]),
             "palette.png": Image.fromarray(rgb).quantize(16), "rgb.jpg": Image.fromarray(rgb), "grey.jpg": Image.fromarray(rgb[..., 1]),
             "rgb.bmp": Image.fromarray(rgb), "palette.bmp": Image.fromarray(rgb).quantize(256)}
    pixels = {}
    for name, image in files.items():
        image.save(OUT / name)
        for mode in ("rgb", "grayscale"):
            got = np.asarray(keras.utils.load_img(OUT / name, color_mode=mode))
            pixels[f"{name}:{mode}"] = got if got.ndim == 3 else got[..., None]
    pixels["rgba.png:rgba"] = np.asarray(keras.utils.load_img(OUT / "rgba.png", color_mode="rgba"))
    np.savez_compressed(OUT / "pixels.npz", **pixels)
    resized = {}
    for how in ("bilinear", "nearest"):
        for h, w in ((7, 20), (22, 5), (11, 13), (1, 1)):
            resized[f"{how}_{h}x{w}"] = tf.image.resize(rgb, (h, w), method=how).numpy()
    np.savez_compressed(OUT / "resized.npz", **resized)
    (OUT / "README").write_text(f"Written by tools/golden/images.py: keras {keras.__version__}, tensorflow {tf.__version__}, Pillow {Image.__version__}.\n")


if __name__ == "__main__":
    sys.exit(main())
