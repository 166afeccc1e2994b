// Recurrent kernels: one LSTM, GRU or SimpleRNN layer of 64 units over 50 steps, the reference LSTM stack of three,
// and batch 1.
#include <algorithm>
#include <memory>

#include "kernels.h"
#include "kernels/cpu/rnn.h"

namespace glia::bench {
namespace {

using namespace glia::cpu;

// Aligned as tensors and arenas are: kernels that read weights in place lose a third of their speed otherwise.
struct Floats {
  explicit Floats(int64_t n) : count(static_cast<size_t>(n)), space(count + 16) {}
  float* data() { return reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(space.data()) + 63) / 64 * 64); }
  size_t size() const { return count; }
  size_t count;
  std::vector<float> space;
};

struct Layer {
  Layer(const RnnShape& s, int64_t gates, size_t forward_bytes, size_t backward_bytes)
      : shape(s),
        x(s.batch * s.steps * s.input),
        w(s.input * gates * s.units),
        u(s.units * gates * s.units),
        b(2 * gates * s.units),
        y(s.batch * s.steps * s.units),
        saved(s.batch * s.steps * 4 * s.units),
        states(s.batch * (s.steps + 1) * s.units),
        cells(states.size()),
        dx(x.size()),
        dw(w.size()),
        du(u.size()),
        db(b.size()),
        work(std::max(forward_bytes, backward_bytes) / 4 + 32) {
    for (Floats* v : {&x, &w, &u, &b, &y}) {
      for (size_t i = 0; i < v->size(); ++i)
        v->data()[i] = static_cast<float>(static_cast<int>(i * 7 % 31) - 15) / 60;
    }
  }
  void* workspace() { return work.data(); }
  RnnShape shape;
  Floats x, w, u, b, y, saved, states, cells, dx, dw, du, db, work;
};

template <class Args>
Args common(Layer& l) {
  Args a;
  a.shape = l.shape;
  a.x = {l.x.data(), l.shape.steps * l.shape.input, l.shape.input};
  a.kernel = l.w.data(), a.recurrent = l.u.data();
  a.workspace = l.workspace();
  return a;
}
template <class Args>
Args forward(Layer& l, const float* x = nullptr) {
  Args a = common<Args>(l);
  if (x) a.x.data = x;
  a.bias = l.b.data();
  a.y = {l.y.data(), l.shape.steps * l.shape.units, l.shape.units};
  return a;
}
template <class Args>
Args backward(Layer& l) {
  Args a = common<Args>(l);
  a.states = l.states.data();
  a.dy = {l.y.data(), l.shape.steps * l.shape.units, l.shape.units};
  a.dx = {l.dx.data(), l.shape.steps * l.shape.input, l.shape.input};
  a.dkernel = l.dw.data(), a.drecurrent = l.du.data(), a.dbias = l.db.data();
  return a;
}

LstmForward<float> lstm_forward(Layer& l, bool training, const float* x = nullptr) {
  auto a = forward<LstmForward<float>>(l, x);
  if (training) a.gates = l.saved.data(), a.states = l.states.data(), a.cells = l.cells.data();
  return a;
}

double flops(const RnnShape& s, int64_t gates) {
  return 2.0 * static_cast<double>(s.batch * s.steps * gates * s.units * (s.input + s.units));
}
std::string name(const char* what, const RnnShape& s) {
  return std::string(what) + "_f32_b" + std::to_string(s.batch) + "_t" + std::to_string(s.steps) + "_" +
         std::to_string(s.input) + "x" + std::to_string(s.units);
}

void add_lstm(std::vector<KernelBench>& list, const RnnShape& s) {
  const auto layer = [s] { return std::make_shared<Layer>(s, 4, lstm_workspace(s), lstm_backward_workspace(s)); };
  list.push_back({name("lstm", s), flops(s, 4), 0, [=] {
                    auto l = layer();
                    return [l] { GLIA_ISA_SELECT(lstm_forward_f32)(lstm_forward(*l, false)); };
                  }});
  list.push_back({name("lstm_train", s), 3 * flops(s, 4), 0, [=] {  // forward, then all gradients
                    auto l = layer();
                    return [l] {
                      GLIA_ISA_SELECT(lstm_forward_f32)(lstm_forward(*l, true));
                      auto a = backward<LstmBackward<float>>(*l);
                      a.gates = l->saved.data(), a.cells = l->cells.data();
                      GLIA_ISA_SELECT(lstm_backward_f32)(a);
                    };
                  }});
}

// Three layers, the later two on the outputs of the one before.
void add_stack(std::vector<KernelBench>& list, int64_t batch) {
  const RnnShape first{batch, 50, 32, 64}, later{batch, 50, 64, 64};
  list.push_back({"lstm_stack3_f32_b" + std::to_string(batch), flops(first, 4) + 2 * flops(later, 4), 0, [=] {
                    std::vector<std::shared_ptr<Layer>> all;
                    for (const RnnShape& s : {first, later, later}) {
                      all.push_back(std::make_shared<Layer>(s, 4, lstm_workspace(s), 0));
                    }
                    return [all] {
                      const float* x = nullptr;
                      for (const auto& l : all) {
                        GLIA_ISA_SELECT(lstm_forward_f32)(lstm_forward(*l, false, x));
                        x = l->y.data();
                      }
                    };
                  }});
}

void add_others(std::vector<KernelBench>& list, const RnnShape& s) {
  list.push_back({name("gru_train", s), 3 * flops(s, 3), 0, [=] {
                    auto l = std::make_shared<Layer>(s, 3, gru_workspace(s), gru_backward_workspace(s));
                    return [l] {
                      auto f = forward<GruForward<float>>(*l);
                      f.gates = l->saved.data(), f.states = l->states.data();
                      GLIA_ISA_SELECT(gru_forward_f32)(f);
                      auto b = backward<GruBackward<float>>(*l);
                      b.gates = l->saved.data();
                      GLIA_ISA_SELECT(gru_backward_f32)(b);
                    };
                  }});
  list.push_back({name("simple_rnn_train", s), 3 * flops(s, 1), 0, [=] {
                    auto l = std::make_shared<Layer>(s, 1, simple_rnn_workspace(s), simple_rnn_backward_workspace(s));
                    return [l] {
                      auto f = forward<SimpleRnnForward<float>>(*l);
                      f.states = l->states.data();
                      GLIA_ISA_SELECT(simple_rnn_forward_f32)(f);
                      GLIA_ISA_SELECT(simple_rnn_backward_f32)(backward<SimpleRnnBackward<float>>(*l));
                    };
                  }});
}

}  // namespace

void add_rnn_kernels(std::vector<KernelBench>& list) {
  for (int64_t batch : {1, 32, 128}) add_lstm(list, {batch, 50, 64, 64});
  add_lstm(list, {32, 50, 256, 256});
  add_stack(list, 1);
  add_stack(list, 32);
  add_others(list, {32, 50, 64, 64});
}

}  // namespace glia::bench
