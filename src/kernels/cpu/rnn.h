// Whole-sequence recurrent kernels with Keras 3's numerics: LSTM (gates i, f, c, o), GRU (z, r, h; reset_after or
// not) and SimpleRNN, with activation tanh and recurrent_activation sigmoid. Forward for inference and training, and
// the backward pass through time. f32 kernels exist per instruction set; the f64 ones (rnn_f64.cpp) are plain loops
// for checks.
//
//   RnnShape s{.batch = 32, .steps = 50, .input = 32, .units = 64};
//   std::vector<float> ws(lstm_workspace(s) / sizeof(float));
//   LstmForward<float> f{.shape = s, .x = {x, 50 * 32, 32}, .kernel = w, .recurrent = u, .bias = b, .y = {y, 50 * 64,
//   64},
//                        .workspace = ws.data()};
//   GLIA_ISA_SELECT(lstm_forward_f32)(f);
//
// Time: step s of the kernel reads x and mask at time s, or steps-1-s with go_backwards, and writes y at s (outputs
// are in processing order, as in Keras). A masked step (mask 0) keeps the state; its output is the previous output
// (zeros before the first), or zero with zero_output. Threads: chunks are blocks of batch rows, fixed by the shape;
// no barrier in time. Buffers saved for training are time-major: gates [T, B, 4H], states and cells [T+1, B, H]
// (index 0 is the initial state); gates of masked steps are zeros.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/cpu/isa.h"

namespace glia::cpu {

struct RnnShape {
  int64_t batch = 0, steps = 0, input = 0, units = 0;
};

template <class T>
struct RnnSequence {  // element (b, t, i) at data[b * batch_stride + t * step_stride + i]
  T* data = nullptr;
  int64_t batch_stride = 0, step_stride = 0;
};

struct RnnMask {
  RnnSequence<const uint8_t> at;  // null data: no mask
  bool zero_output = false;
};

template <class T, class Saved = T>
struct LstmForward {
  RnnShape shape;
  RnnSequence<const T> x;
  const T* kernel = nullptr;     // [I, 4H]
  const T* recurrent = nullptr;  // [H, 4H]
  const T* bias = nullptr;       // [4H] or null
  const T* h0 = nullptr;         // [B, H] or null for zeros
  const T* c0 = nullptr;
  RnnMask mask;
  bool go_backwards = false;
  RnnSequence<T> y;     // [B, T, H]; step_stride 0 keeps the last output only
  T* h_last = nullptr;  // [B, H] or null
  T* c_last = nullptr;
  Saved* gates = nullptr;  // training: the four activated gates; all three or none
  Saved* states = nullptr;
  Saved* cells = nullptr;
  void* workspace = nullptr;  // lstm_workspace(shape) bytes, 64-byte aligned
  bool kept = false;          // the workspace stays from call to call (f32 and bf16: the weights are packed there);
  bool ready = false;         // with `kept`: it is as a call with the same weights left it
};

template <class T, class Saved = T>
struct LstmBackward {
  RnnShape shape;
  RnnSequence<const T> x;
  const T* kernel = nullptr;
  const T* recurrent = nullptr;
  RnnMask mask;
  bool go_backwards = false;
  const Saved* gates = nullptr;  // as saved by the forward pass
  const Saved* states = nullptr;
  const Saved* cells = nullptr;
  RnnSequence<const T> dy;     // null data: no gradient of the outputs
  bool dy_last_only = false;   // dy holds [B, H], the gradient of the last output (its step_stride is not used)
  const T* dh_last = nullptr;  // [B, H] or null
  const T* dc_last = nullptr;
  RnnSequence<T> dx;  // null data: not wanted; the same holds for each of the following
  T* dkernel = nullptr;
  T* drecurrent = nullptr;
  T* dbias = nullptr;
  T* dh0 = nullptr;
  T* dc0 = nullptr;
  void* workspace = nullptr;  // lstm_backward_workspace(shape) bytes
};

// reset_after: bias is [2, 3H] (input, recurrent) and the reset gate scales h @ U; else bias is [3H] and it scales h.
template <class T>
struct GruForward {
  RnnShape shape;
  RnnSequence<const T> x;
  const T* kernel = nullptr;     // [I, 3H]
  const T* recurrent = nullptr;  // [H, 3H]
  const T* bias = nullptr;
  const T* h0 = nullptr;
  bool reset_after = true;
  RnnMask mask;
  bool go_backwards = false;
  RnnSequence<T> y;
  T* h_last = nullptr;
  T* gates = nullptr;  // training: z, r, candidate, and h @ U_h + b (reset_after) or r * h
  T* states = nullptr;
  void* workspace = nullptr;  // gru_workspace(shape) bytes
  bool kept = false, ready = false;  // as in LstmForward
};

template <class T>
struct GruBackward {
  RnnShape shape;
  RnnSequence<const T> x;
  const T* kernel = nullptr;
  const T* recurrent = nullptr;
  bool reset_after = true;
  RnnMask mask;
  bool go_backwards = false;
  const T* gates = nullptr;
  const T* states = nullptr;
  RnnSequence<const T> dy;
  bool dy_last_only = false;
  const T* dh_last = nullptr;
  RnnSequence<T> dx;
  T* dkernel = nullptr;
  T* drecurrent = nullptr;
  T* dbias = nullptr;
  T* dh0 = nullptr;
  void* workspace = nullptr;  // gru_backward_workspace(shape) bytes
};

template <class T>
struct SimpleRnnForward {
  RnnShape shape;
  RnnSequence<const T> x;
  const T* kernel = nullptr;     // [I, H]
  const T* recurrent = nullptr;  // [H, H]
  const T* bias = nullptr;       // [H] or null
  const T* h0 = nullptr;
  RnnMask mask;
  bool go_backwards = false;
  RnnSequence<T> y;
  T* h_last = nullptr;
  T* states = nullptr;        // training
  void* workspace = nullptr;  // simple_rnn_workspace(shape) bytes
};

template <class T>
struct SimpleRnnBackward {
  RnnShape shape;
  RnnSequence<const T> x;
  const T* kernel = nullptr;
  const T* recurrent = nullptr;
  RnnMask mask;
  bool go_backwards = false;
  const T* states = nullptr;
  RnnSequence<const T> dy;
  bool dy_last_only = false;
  const T* dh_last = nullptr;
  RnnSequence<T> dx;
  T* dkernel = nullptr;
  T* drecurrent = nullptr;
  T* dbias = nullptr;
  T* dh0 = nullptr;
  void* workspace = nullptr;  // simple_rnn_backward_workspace(shape) bytes
};

GLIA_ISA_DECLARE(void, lstm_forward_f32, (const LstmForward<float>&))
GLIA_ISA_DECLARE(void, lstm_backward_f32, (const LstmBackward<float>&))
GLIA_ISA_DECLARE(void, gru_forward_f32, (const GruForward<float>&))
GLIA_ISA_DECLARE(void, gru_backward_f32, (const GruBackward<float>&))
GLIA_ISA_DECLARE(void, simple_rnn_forward_f32, (const SimpleRnnForward<float>&))
GLIA_ISA_DECLARE(void, simple_rnn_backward_f32, (const SimpleRnnBackward<float>&))

void lstm_forward_f64(const LstmForward<double>&);
void lstm_backward_f64(const LstmBackward<double>&);
void gru_forward_f64(const GruForward<double>&);
void gru_backward_f64(const GruBackward<double>&);
void simple_rnn_forward_f64(const SimpleRnnForward<double>&);
void simple_rnn_backward_f64(const SimpleRnnBackward<double>&);

// Workspace in bytes, enough for f32 and f64 and every instruction set.
size_t lstm_workspace(const RnnShape&);
size_t lstm_backward_workspace(const RnnShape&);
size_t gru_workspace(const RnnShape&);
size_t gru_backward_workspace(const RnnShape&);
size_t simple_rnn_workspace(const RnnShape&);
size_t simple_rnn_backward_workspace(const RnnShape&);


// LSTM with all in bfloat16 but the sums, the carried cell and what is saved, which are f32: the products by VDPBF16PS. The
// state enters the next step's product rounded, as Keras's mixed_bfloat16 does. For shapes that lstm_bf16_supported accepts:
// the machine has AVX512-BF16, inputs and units are even.
using LstmForwardBf16 = LstmForward<uint16_t, float>;
using LstmBackwardBf16 = LstmBackward<uint16_t, float>;
bool lstm_bf16_supported(const RnnShape&);
void lstm_forward_bf16(const LstmForwardBf16&);
void lstm_backward_bf16(const LstmBackwardBf16&);
size_t lstm_bf16_workspace(const RnnShape&);
size_t lstm_backward_bf16_workspace(const RnnShape&);

}  // namespace glia::cpu
