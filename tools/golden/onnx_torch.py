#!/usr/bin/env python3
"""Writes tests/compat/onnx/torch-2.15: small models exported by PyTorch, with inputs and PyTorch's results, in the layout of
ONNX's backend tests, so that glia-onnx-backend runs them.

    /work/peers-venv/bin/python tools/golden/onnx_torch.py        (packages torch and onnx)
"""
import os
import warnings

import numpy as np
import torch
from onnx import numpy_helper
from torch import nn

warnings.filterwarnings("ignore")
OUT = os.path.join(os.path.dirname(__file__), "../../tests/compat/onnx/torch-" + ".".join(torch.__version__.split(".")[:2]))
F = nn.functional


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.a, self.b = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.c, self.head = nn.Conv2d(4, 4, 3, padding=1, groups=2), nn.Linear(4, 3)

    def forward(self, x):
        x = F.max_pool2d(torch.relu(self.stem(x)), 2, ceil_mode=True)
        x = torch.relu(x + self.c(torch.relu(self.b(self.a(x)))))
        return self.head(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class Words(nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.table, self.cell, self.head = nn.Embedding(12, 5), cell(5, 4, num_layers=2, batch_first=True, bidirectional=True), nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.cell(self.table(x))[0][:, -1])


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.place = nn.Embedding(14, 8), nn.Parameter(torch.randn(1, 16, 8))
        self.norm, self.qkv, self.out, self.head = nn.LayerNorm(8), nn.Linear(8, 24), nn.Linear(8, 8), nn.Linear(8, 14)

    def forward(self, x):
        n, t = x.shape
        y = self.table(x) + self.place[:, :t]
        q, k, v = self.qkv(self.norm(y)).reshape(n, t, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        seen = torch.tril(torch.ones(t, t, dtype=torch.bool))
        p = (q @ k.transpose(-1, -2) / 2.0).masked_fill(~seen, float("-inf")).softmax(-1)
        return self.head(y + self.out((p @ v).transpose(1, 2).reshape(n, t, 8)))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1)
        self.up, self.c = nn.ConvTranspose2d(6, 4, 2, stride=2), nn.Conv2d(8, 1, 1)

    def forward(self, x):
        a = F.silu(self.a(x))
        b = F.leaky_relu(self.b(F.avg_pool2d(a, 2)))
        u = F.interpolate(F.max_pool2d(self.up(b), 2), size=a.shape[2:], mode="bilinear", align_corners=False)
        return torch.sigmoid(self.c(torch.cat([u, a], 1)))


class Functions(nn.Module):
    def forward(self, x):
        y = torch.topk(torch.cumsum(F.pad(x, (1, 2, 0, 1), mode="reflect"), 2), 3, dim=-1)[0]
        z = torch.einsum("bchw,bcxw->bchx", y, y)
        return F.gelu(z, approximate="tanh").flatten(1), x.argmax(1), x.clamp(-0.5, 0.5).std(-1), x.roll(1, 2), F.normalize(x, dim=1), F.pixel_shuffle(x.repeat(1, 4, 1, 1), 2)


class Norms(nn.Module):
    def __init__(self):
        super().__init__()
        self.g, self.i, self.l, self.p = nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True), nn.LayerNorm([5, 5]), nn.PReLU(4)

    def forward(self, x):
        return self.p(self.l(self.i(self.g(x)))), F.hardswish(x), F.local_response_norm(x, 3)


def encoder():
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, activation="gelu"), 1)


CASES = [
    ("residual", Residual, lambda: [torch.randn(2, 3, 15, 15)], {0: "batch"}, (11, 17)),
    ("lstm", lambda: Words(nn.LSTM), lambda: [torch.randint(0, 12, (2, 6))], {0: "batch", 1: "time"}, (11, 17)),
    ("gru", lambda: Words(nn.GRU), lambda: [torch.randint(0, 12, (2, 6))], {0: "batch", 1: "time"}, (13,)),
    ("decoder", Decoder, lambda: [torch.randint(0, 14, (2, 7))], None, (17,)),
    ("encoder", encoder, lambda: [torch.randn(2, 5, 8)], {0: "batch"}, (17,)),
    ("unet", UNet, lambda: [torch.randn(1, 2, 8, 8)], {0: "batch", 2: "height", 3: "width"}, (17,)),
    ("functions", Functions, lambda: [torch.randn(2, 4, 5, 5)], {0: "batch"}, (13, 18)),
    ("norms", Norms, lambda: [torch.randn(2, 4, 5, 5)], None, (17,)),
]


def write(path, array):
    with open(path, "wb") as f:
        f.write(numpy_helper.from_array(np.ascontiguousarray(array)).SerializeToString())


for name, make, inputs, dynamic, opsets in CASES:
    torch.manual_seed(0)
    model, x = make(), inputs()
    for _ in range(3):
        model.train()(*x)  # so that running statistics are not 0 and 1
    model.eval()
    with torch.no_grad():
        y = model(*x)
    y = y if isinstance(y, tuple) else (y,)
    for opset in opsets:
        data = os.path.join(OUT, f"test_{name}_{opset}", "test_data_set_0")
        os.makedirs(data, exist_ok=True)
        names = [f"x{i}" for i in range(len(x))]
        torch.onnx.export(model, tuple(x), os.path.join(data, "../model.onnx"), input_names=names, opset_version=opset,
                          dynamic_axes={n: dynamic for n in names} if dynamic else None, dynamo=False)
        for i, v in enumerate(x):
            write(os.path.join(data, f"input_{i}.pb"), v.numpy())
        for i, v in enumerate(y):
            write(os.path.join(data, f"output_{i}.pb"), v.detach().numpy())
