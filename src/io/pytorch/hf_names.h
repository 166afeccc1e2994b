// Names and layouts that Hugging Face's transformers use beside PyTorch's own.
//
//   NamedTensors t = plain_names(read_safetensors("gpt2/model.safetensors"));   // "h.0.attn.in_proj_weight", ...
#pragma once
#include <glia/pytorch.h>

#include <string>

namespace glia::io {

// What becomes PyTorch's: GPT-2's Conv1D (in, out) a Linear's (out, in); attn.c_attn and attn.c_proj a MultiheadAttention's
// in_proj and out_proj; masks that old files keep go; a LayerNorm's gamma and beta become weight and bias.
NamedTensors plain_names(const NamedTensors& tensors);

// The other way, for the tensors of one module: `style` is "gpt2" or "bert", `dense` says that it is a Linear.
NamedTensors hf_names(const std::string& style, const std::string& module, bool dense, const NamedTensors& tensors);

}  // namespace glia::io
