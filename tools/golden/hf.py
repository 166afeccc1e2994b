#!/usr/bin/env python3
"""Writes tests/compat/pytorch/hf: folders of tiny GPT-2 and BERT models as Hugging Face's transformers saves them.

    python tools/golden/hf.py tests/compat/pytorch/hf       # with torch, transformers (5.24) and safetensors

Each folder: config.json, the weights in one of the forms that are read, and io.npz with inputs and the model's outputs.
    python tools/golden/hf.py --check FOLDER                # loads a folder that Glia wrote; compares with its io.npz
"""
import json
import pathlib
import sys

import numpy as np
import torch
import transformers
from safetensors.torch import save_file

IDS = torch.tensor([[3, 1, 4, 1, 5, 9, 2], [6, 5, 3, 5, 8, 9, 7]])


def randomized(model):
    g = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn(p.shape, generator=g) * 0.3)
    return model.eval()


def write(folder, model, arrays, form):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(model.config.to_dict(), indent=1, sort_keys=True) + "\n")
    state = {k: v.clone().contiguous() for k, v in model.state_dict().items()}
    state.pop("lm_head.weight", None)
    if form == "old":  # files of 2019: the causal mask among the weights, gamma and beta
        if any(k.endswith("c_attn.weight") for k in state):
            for i in range(model.config.n_layer):
                state[f"transformer.h.{i}.attn.bias"] = torch.ones(1, 1, 16, 16).tril()
        state = {k.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): v for k, v in state.items()}
        torch.save(state, folder / "pytorch_model.bin")
    elif form == "shards":
        names, files = sorted(state), {}
        for i, part in enumerate((names[::2], names[1::2])):
            file = f"model-{i + 1:05}-of-00002.safetensors"
            save_file({k: state[k] for k in part}, folder / file, {"format": "pt"})
            files.update({k: file for k in part})
        (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": files}))
    else:
        save_file(state, folder / "model.safetensors", {"format": "pt"})
    np.savez_compressed(folder / "io.npz", **{k: np.asarray(v) for k, v in arrays.items()})


def gpt2(**kw):
    return transformers.GPT2Config(vocab_size=11, n_positions=16, n_embd=12, n_layer=2, n_head=3, **kw)


def bert(**kw):
    return transformers.BertConfig(vocab_size=11, hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=20,
                                   max_position_embeddings=16, **kw)


def main(out):
    with torch.no_grad():
        m = randomized(transformers.GPT2LMHeadModel(gpt2()))
        write(out / "gpt2", m, {"input_ids": IDS.int(), "out": m(IDS).logits}, "")
        m = randomized(transformers.GPT2LMHeadModel(gpt2(n_inner=30, activation_function="relu")))
        write(out / "gpt2_old", m, {"input_ids": IDS.int(), "out": m(IDS).logits}, "old")
        m = randomized(transformers.GPT2Model(gpt2()))
        write(out / "gpt2_hidden", m, {"input_ids": IDS.int(), "out": m(IDS).last_hidden_state}, "shards")
        mask = torch.tensor([[1] * 7, [1] * 4 + [0] * 3])
        types = torch.tensor([[0, 0, 0, 1, 1, 1, 1]] * 2)
        arrays = {"input_ids": IDS.int(), "attention_mask": mask.int(), "token_type_ids": types.int()}
        m = randomized(transformers.BertModel(bert()))
        y = m(IDS, attention_mask=mask, token_type_ids=types)
        write(out / "bert", m, {**arrays, "out": y.last_hidden_state, "pooled": y.pooler_output}, "")
        m = randomized(transformers.BertForSequenceClassification(bert(hidden_act="gelu_new")))
        y = m.bert(IDS, attention_mask=mask, token_type_ids=types)
        write(out / "bert_old", m, {**arrays, "out": y.last_hidden_state, "pooled": y.pooler_output}, "old")
    print("transformers", transformers.__version__, "torch", torch.__version__)


def check(folder):
    a = np.load(folder / "io.npz")
    kind = json.loads((folder / "config.json").read_text())["model_type"]
    cls = transformers.GPT2LMHeadModel if kind == "gpt2" else transformers.BertModel
    m, info = cls.from_pretrained(folder, output_loading_info=True)
    missing = set(info["missing_keys"]) - {"lm_head.weight"}
    assert not missing and not info["unexpected_keys"], info
    given = {k: torch.tensor(a[k]).long() for k in a.files if k not in ("out", "pooled")}
    with torch.no_grad():
        y = m.eval()(**given)
    got = y.logits if kind == "gpt2" else y.last_hidden_state
    worst = float(np.abs(got.numpy() - a["out"]).max())
    assert worst < 1e-4, worst
    print(f"{folder}: {kind} loads in transformers {transformers.__version__}, largest difference {worst:.2g}")


if __name__ == "__main__":
    if sys.argv[1] == "--check":
        check(pathlib.Path(sys.argv[2]))
    else:
        main(pathlib.Path(sys.argv[1]))
