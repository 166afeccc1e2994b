"""PyTorch as a peer of glia-bench.

    python torch_peer.py train cnn32 --variant tuned   # variant: "" (eager), tuned (channels_last, fused Adam), compile
    python torch_peer.py predict cnn32 --batch 32      # variant: "" or compile
    python torch_peer.py export cnn32 --batch 1 --out cnn.onnx
"""

import math
import os
import time

os.environ["CUDA_VISIBLE_DEVICES"] = ""

import workloads

ARGS = workloads.arguments(__doc__)

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(ARGS.threads)


class LSTMStack(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.lstm = nn.LSTM(w["inputs"], w["units"], w["layers"], batch_first=True)
        self.head = nn.Linear(w["units"], w["classes"])

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


class LSTMAttention(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.lstm = nn.LSTM(w["inputs"], w["units"], batch_first=True)
        self.head = nn.Linear(w["units"], w["classes"])

    def forward(self, x):
        h = self.lstm(x)[0]
        return self.head(F.scaled_dot_product_attention(h, x, x, scale=1.0))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(b, t, c))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class GPT(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.token = nn.Embedding(w["vocabulary"], w["width"])
        self.position = nn.Parameter(torch.randn(w["steps"], w["width"]) * 0.05)
        self.blocks = nn.Sequential(*[Block(w["width"], w["heads"]) for _ in range(w["layers"])])
        self.norm = nn.LayerNorm(w["width"])
        self.head = nn.Linear(w["width"], w["vocabulary"])

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.token(x) + self.position)))


def conv_bn(i, o, size, stride=1, relu=True):
    parts = [nn.Conv2d(i, o, size, stride, size // 2, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*parts, *([nn.ReLU(inplace=True)] if relu else []))


class Residual(nn.Module):
    def __init__(self, body, short):
        super().__init__()
        self.body, self.short = body, short

    def forward(self, x):
        return F.relu(self.body(x) + self.short(x))


def resnet20(w):
    parts, i = [conv_bn(3, 16, 3)], 16
    for stage, o in enumerate((16, 32, 64)):
        for block in range(3):
            stride = 2 if stage > 0 and block == 0 else 1
            short = conv_bn(i, o, 1, stride, False) if stride == 2 else nn.Identity()
            parts.append(Residual(nn.Sequential(conv_bn(i, o, 3, stride), conv_bn(o, o, 3, 1, False)), short))
            i = o
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, w["classes"]))


def resnet50(w):
    parts, i = [conv_bn(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
    for stage, blocks in enumerate(workloads.RESNET50_BLOCKS):
        f = 64 << stage
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            body = nn.Sequential(conv_bn(i, f, 1), conv_bn(f, f, 3, stride), conv_bn(f, 4 * f, 1, 1, False))
            parts.append(Residual(body, conv_bn(i, 4 * f, 1, stride, False) if block == 0 else nn.Identity()))
            i = 4 * f
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, w["classes"]))


def mlp(w):
    sizes = [w["inputs"]] + w["units"]
    body = [m for i, o in zip(sizes, sizes[1:]) for m in (nn.Linear(i, o), nn.ReLU())]
    return nn.Sequential(*body, nn.Linear(sizes[-1], w["classes"]))


def cnn(w):
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1600, 64), nn.ReLU(), nn.Linear(64, w["classes"]),
    )  # fmt: skip


MODELS = {
    "mlp": mlp,
    "cnn": cnn,
    "lstm": LSTMStack,
    "lstm_attn": LSTMAttention,
    "gpt": GPT,
    "resnet20": resnet20,
    "resnet50": resnet50,
}


def make(work, batch):
    w = workloads.WORKS[work]
    x, y = workloads.make_batch(w, batch, np.random.default_rng(1))
    if x.ndim == 4:
        x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    x, y = torch.from_numpy(x), torch.from_numpy(y).long()
    torch.manual_seed(1)
    model = MODELS[w["kind"]](w)
    if w["kind"] == "gpt":
        x = x.long()
    if ARGS.variant == "tuned" and x.dim() == 4:
        model, x = model.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    return model, x, y


def peer_name():
    return "torch" + ("-" + ARGS.variant if ARGS.variant else "")


def train(work):
    start = time.perf_counter()
    model, x, y = make(work, workloads.WORKS[work]["batch"])
    optimizer = torch.optim.Adam(model.parameters(), fused=True if ARGS.variant == "tuned" else None)
    forward = torch.compile(model) if ARGS.variant == "compile" else model
    right = torch.zeros((), dtype=torch.long)

    def step():
        optimizer.zero_grad(set_to_none=True)
        logits = forward(x).reshape(-1, forward_classes)
        loss = F.cross_entropy(logits, y.reshape(-1))
        loss.backward()
        optimizer.step()
        right.add_((logits.detach().argmax(-1) == y.reshape(-1)).sum())
        return loss.item()

    w = workloads.WORKS[work]
    forward_classes = w.get("classes") or w["vocabulary"]
    if not math.isfinite(step()):
        raise RuntimeError("the loss is not finite")
    first = time.perf_counter() - start
    for _ in range(2):
        step()
    ms = workloads.time_calls(step, ARGS.seconds)
    workloads.report(peer_name(), "train", work, ARGS.threads, ms, first_s=first)


def predict(work):
    batch = ARGS.batch or 1
    model, x, _ = make(work, batch)
    model.eval()
    with torch.inference_mode():
        call = torch.compile(model) if ARGS.variant == "compile" else model
        for _ in range(3):
            torch.softmax(call(x), -1).numpy()
        ms = workloads.time_calls(lambda: torch.softmax(call(x), -1).numpy(), ARGS.seconds)
    workloads.report(peer_name(), "predict", work, ARGS.threads, ms, batch=batch)


def startup():
    model, x, _ = make("cnn32", 1)
    with torch.inference_mode():
        torch.softmax(model.eval()(x), -1).numpy()
    workloads.report("torch", "startup", "cnn32", ARGS.threads, first_s=workloads.process_age_s())


def export(work):
    """Writes the model with its softmax as an ONNX file, for onnxruntime_peer.py."""
    model, x, _ = make(work, ARGS.batch or 1)
    model = nn.Sequential(model, nn.Softmax(-1)).eval()
    torch.onnx.export(model, (x,), ARGS.out, dynamo=False, input_names=["x"], output_names=["y"])


if __name__ == "__main__":
    if ARGS.command == "train":
        train(ARGS.work)
    elif ARGS.command == "predict":
        predict(ARGS.work)
    elif ARGS.command == "export":
        export(ARGS.work)
    else:
        startup()
