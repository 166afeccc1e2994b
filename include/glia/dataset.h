// Dataset: a pipeline that gives batches, over and over, the same for the same seed.
//
//   Dataset train = Dataset::from_tensors(x, y).shuffle({.seed = 1}).batch(32).map(augment).prefetch(2);
//   for (const Batch& b : train) step(b.x[0], b.y[0]);     // each loop is one pass with its own order
//   model.fit(train, {.epochs = 10});
//
// A Dataset is a value: cheap to copy, never changed by the functions below (each returns a new one), and usable by
// several threads at once. Nothing is read before it is iterated.
#pragma once
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <vector>

#include <glia/string_tensor.h>
#include <glia/tensor.h>

namespace glia {

// One element. Before batch() it is one example (no batch axis), after it a batch. y and sample_weight may be empty;
// models with several inputs or outputs have several entries. Inputs of strings are in `strings`, which is empty or has one
// entry per input: strings[i] is used where x[i] is undefined or not there.
struct Batch {
  std::vector<Tensor> x = {}, y = {}, sample_weight = {};
  std::vector<StringTensor> strings = {};
};

struct ShuffleOptions {
  int64_t buffer_size = 0;   // 0: the whole dataset, a uniform permutation; else the window of a streaming shuffle
  uint64_t seed = 0;
  bool reshuffle_each_iteration = true;  // false: every pass has the same order
};
struct BatchOptions {
  bool drop_remainder = false;  // drop a smaller last batch
};

class Dataset {
 public:
  static constexpr int64_t kInfinite = -1, kUnknown = -2;
  using Next = std::function<bool(Batch&)>;         // fills the next element; false at the end
  using Open = std::function<Next(uint64_t epoch)>;  // starts a pass

  // Rows of axis 0. All tensors must have equally many; undefined ones are left out. The data is shared, not copied.
  static Dataset from_tensors(const Tensor& x, const Tensor& y = {}, const Tensor& sample_weight = {});
  static Dataset from_tensors(const StringTensor& x, const Tensor& y = {}, const Tensor& sample_weight = {});
  static Dataset from_tensors(Batch all);
  // Elements from any source. `open` is called once a pass and must give the same elements for the same epoch.
  static Dataset from_generator(Open open, int64_t cardinality = kUnknown);

  Dataset shuffle(const ShuffleOptions& options = {}) const;
  // Stacks n examples along a new axis 0; their shapes must agree.
  Dataset batch(int64_t n, const BatchOptions& options = {}) const;
  // fn may change the arrays it is given in place: they are copies, or were made for this element.
  Dataset map(std::function<Batch(Batch)> fn) const;
  // Computes up to n elements ahead in a thread of its own. What the pipeline throws there is thrown to the consumer.
  Dataset prefetch(int64_t n = 2) const;
  Dataset repeat(int64_t count = -1) const;  // -1: for ever
  Dataset take(int64_t n) const;
  Dataset skip(int64_t n) const;

  int64_t cardinality() const;  // elements a pass, or kInfinite, or kUnknown

  // A pass by number: the same epoch gives the same elements, which is how a resumed run goes on as if never stopped.
  Next open(uint64_t epoch) const;

  // for (const Batch& b : dataset): each begin() is the next pass of this object, starting with epoch 0.
  class Iterator {
   public:
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(Next next) : next_(std::move(next)) { ++*this; }
    const Batch& operator*() const { return now_; }
    const Batch* operator->() const { return &now_; }
    Iterator& operator++() {
      if (!next_(now_)) next_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !next_; }

   private:
    Next next_;
    Batch now_;
  };
  Iterator begin() const;
  std::default_sentinel_t end() const { return {}; }

 private:
  struct Impl;
  explicit Dataset(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace glia
