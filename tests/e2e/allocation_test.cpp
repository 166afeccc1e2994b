// A training step allocates nothing once it has run: operator new is counted around Executable::run.
#include <glia/glia.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "train/trainer.h"

static std::atomic<long> allocations{0};
static std::atomic<bool> counting{false};

// Not inlined: gcc would see malloc under new beside free under delete, and warn of a mismatch (-Wmismatched-new-delete).
#define GLIA_REPLACED __attribute__((noinline))
GLIA_REPLACED void* operator new(std::size_t n) {
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1);
  if (void* p = std::malloc(n ? n : 1)) return p;
  throw std::bad_alloc();
}
GLIA_REPLACED void* operator new(std::size_t n, const std::nothrow_t&) noexcept {  // std::stable_sort's buffer
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1);
  return std::malloc(n ? n : 1);
}
GLIA_REPLACED void operator delete(void* p) noexcept { std::free(p); }
GLIA_REPLACED void operator delete(void* p, std::size_t) noexcept { std::free(p); }
GLIA_REPLACED void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }

namespace glia {
namespace {

long allocations_of_a_step(Model& m, const Tensor& x, const Tensor& y) {
  // The same batch twice to settle; then one counted run of the compiled step.
  m.train_on_batch(x, y);
  m.train_on_batch(x, y);
  FeedBatch b{{x}, {y}, {}, x.dim(0)};
  runtime::Executable* exe = nullptr;
  std::vector<void*> in, out;
  m.trainer().bind_for_test(Mode::train, b, &exe, in, out);
  exe->run(in, out);
  allocations = 0;
  counting = true;
  exe->run(in, out);
  counting = false;
  return allocations.load();
}

TEST(Allocation, TrainingStepsAllocateNothing) {
  Sequential cnn({
      layers::Conv2D(32, {3, 3}, {.activation = "relu", .input_shape = {28, 28, 1}}),
      layers::MaxPooling2D({2, 2}),
      layers::Conv2D(64, {3, 3}, {.activation = "relu"}),
      layers::MaxPooling2D({2, 2}),
      layers::Flatten(),
      layers::Dropout(0.5),
      layers::Dense(64, {.activation = "relu"}),
      layers::BatchNormalization(),
      layers::Dense(10, {.activation = "softmax"}),
  });
  cnn.compile({.optimizer = "adam", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  EXPECT_EQ(allocations_of_a_step(cnn, Tensor::full({8, 28, 28, 1}, 0.5), Tensor::zeros({8}, DType::i32)), 0);

  Sequential lstm({layers::LSTM(16, {.return_sequences = true, .input_shape = {7, 5}}), layers::LSTM(16), layers::Dense(3, {.activation = "softmax"})});
  lstm.compile({.optimizer = "rmsprop", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  EXPECT_EQ(allocations_of_a_step(lstm, Tensor::full({4, 7, 5}, 0.5), Tensor::zeros({4}, DType::i32)), 0);
}

}  // namespace
}  // namespace glia
