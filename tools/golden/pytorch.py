"""Writes tests/compat/pytorch: weights of PyTorch modules with an input and PyTorch's output, for src/io/pytorch tests.

    /work/peers-venv/bin/python tools/golden/pytorch.py

Each case NAME: NAME.pt (torch.save of the state dict), NAME.npz (x, y; channels last). Two are also written in other forms: the
format before PyTorch 1.6 (legacy.pt), safetensors, and a checkpoint with an optimizer (wrapped.pt).
"""

import collections
import pathlib

import numpy as np
import torch
from torch import nn

OUT = pathlib.Path(__file__).resolve().parent.parent.parent / "tests" / "compat" / "pytorch"


class Last(nn.Module):
    """The sequence of a recurrent module, without its states."""

    def __init__(self, rnn):
        super().__init__()
        self.rnn = rnn

    def forward(self, x):
        return self.rnn(x)[0]


class SelfAttention(nn.Module):
    def __init__(self, e, h):
        super().__init__()
        self.attn = nn.MultiheadAttention(e, h, batch_first=True)
        self.norm = nn.LayerNorm(e)

    def forward(self, x):
        return self.norm(x + self.attn(x, x, x, need_weights=False)[0])


class BertAttention(nn.Module):
    """Names of Hugging Face's BERT."""

    def __init__(self, e, h):
        super().__init__()
        self.h = h
        self.add_module("self", nn.ModuleDict({k: nn.Linear(e, e) for k in ("query", "key", "value")}))
        self.output = nn.ModuleDict({"dense": nn.Linear(e, e)})

    def forward(self, x):
        b, t, e = x.shape
        s = getattr(self, "self")
        q, k, v = (s[n](x).view(b, t, self.h, e // self.h).transpose(1, 2) for n in ("query", "key", "value"))
        y = torch.nn.functional.scaled_dot_product_attention(q, k, v)
        return self.output["dense"](y.transpose(1, 2).reshape(b, t, e))


def randomized(module):
    g = torch.Generator().manual_seed(1)
    for name, t in module.state_dict().items():
        if t.is_floating_point():
            t.copy_(torch.rand(t.shape, generator=g) - (0.5 if "var" not in name else -0.2))
    return module.eval()


def channels_last(a):
    return np.moveaxis(a, 1, -1) if a.ndim >= 3 else a


def case(name, module, shape, images=True, integers=None):
    module = randomized(module)
    g = torch.Generator().manual_seed(2)
    x = torch.randint(0, integers, shape, generator=g) if integers else torch.rand(shape, generator=g) - 0.5
    with torch.no_grad():
        y = module(x)
    last = channels_last if images else (lambda a: a)
    np.savez_compressed(OUT / f"{name}.npz", x=last(x.numpy()), y=last(y.numpy()))
    torch.save(module.state_dict(), OUT / f"{name}.pt")
    return module


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    cnn = case("cnn", nn.Sequential(collections.OrderedDict(
        conv1=nn.Conv2d(2, 4, 3), bn1=nn.BatchNorm2d(4), act=nn.PReLU(4), conv2=nn.Conv2d(4, 6, (2, 3), bias=False), relu=nn.ReLU(),
        flatten=nn.Flatten(), bn2=nn.BatchNorm1d(6 * 3 * 2), fc1=nn.Linear(36, 5), fc2=nn.Linear(5, 5))), (3, 2, 6, 6))
    torch.save(cnn.state_dict(), OUT / "legacy.pt", _use_new_zipfile_serialization=False)
    opt = torch.optim.Adam(cnn.parameters())
    cnn(torch.rand(2, 2, 6, 6)).sum().backward()
    opt.step()
    randomized(cnn)
    torch.save({"epoch": 3, "best": 0.5, "state_dict": {"module." + k: v for k, v in cnn.state_dict().items()},
                "optimizer": opt.state_dict(), "note": ["text", (1, 2)]}, OUT / "wrapped.pt")
    try:
        from safetensors.torch import save_file
        save_file(cnn.state_dict(), OUT / "cnn.safetensors", metadata={"format": "pt"})
    except ImportError:
        print("safetensors is not installed; cnn.safetensors was left as it is")
    case("convs", nn.Sequential(nn.ConvTranspose2d(3, 4, 3, stride=2), nn.Conv2d(4, 8, 3, groups=4), nn.GroupNorm(2, 8),
                                nn.Conv2d(8, 6, 3, groups=2)), (2, 3, 4, 4))
    case("conv1d3d", nn.Sequential(nn.Conv1d(3, 4, 3), nn.ConvTranspose1d(4, 2, 2)), (2, 3, 7))
    case("lstm", Last(nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True)), (2, 5, 3), images=False)
    case("gru", Last(nn.GRU(3, 4, num_layers=2, batch_first=True)), (2, 5, 3), images=False)
    case("rnn", Last(nn.RNN(3, 4, batch_first=True)), (2, 5, 3), images=False)
    case("embedding", nn.Sequential(nn.Embedding(7, 4), nn.RMSNorm(4, eps=1e-6), nn.Linear(4, 3)), (2, 5), images=False, integers=7)
    case("attention", SelfAttention(8, 2), (2, 5, 8), images=False)
    case("bert", BertAttention(8, 2), (2, 5, 8), images=False)
    t = torch.arange(24.0).reshape(4, 6)
    torch.save({"u16": torch.tensor([1, 65535], dtype=torch.uint16), "u64": torch.tensor([3, 2**64 - 1], dtype=torch.uint64),
                "e4m3": torch.tensor([1.5, -448.0]).to(torch.float8_e4m3fn), "e5m2": torch.tensor([1.5, -3.0]).to(torch.float8_e5m2)}, OUT / "dtypes.pt")
    torch.save({"transposed": t.T, "part": t[1:3, ::2], "same": t, "half": t.half(), "bf16": t.bfloat16(), "short": t.short(),
                "bools": t > 5, "scalar": torch.tensor(7), "param": nn.Parameter(t[0].clone()), "none": None, "nested": {"a": [t[2]]}},
               OUT / "views.pt")
    torch.save(nn.Linear(2, 2), OUT / "module.pt")
    tiny = {"w": torch.ones(2, 3).T, "b": torch.zeros(1, dtype=torch.int64)}  # every bit of these is flipped by tests/fuzz
    torch.save(tiny, OUT / "tiny.pt")
    torch.save(tiny, OUT / "tiny_legacy.pt", _use_new_zipfile_serialization=False)
    print("torch", torch.__version__)


main()
