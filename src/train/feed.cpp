#include "train/feed.h"

#include <cstring>
#include <numeric>

#include "base/error.h"
#include "base/philox.h"

namespace glia {

int64_t checked_rows(const char* where, const std::vector<Tensor>& x, const std::vector<Tensor>& y, const std::vector<Tensor>& w) {
  GLIA_CHECK(!x.empty(), "{}: x is empty. Give at least one input array.", where);
  int64_t rows = -1;
  const char* names[] = {"x", "y", "sample_weight"};
  const std::vector<Tensor>* groups[] = {&x, &y, &w};
  for (int g = 0; g < 3; ++g)
    for (const Tensor& t : *groups[g]) {
      GLIA_CHECK(t.defined() && t.rank() >= 1, "{}: {} must be an array with a batch axis. Received {}.", where, names[g],
                 t.defined() ? "a scalar" : "an undefined tensor");
      if (rows < 0) rows = t.dim(0);
      GLIA_CHECK(t.dim(0) == rows, "{}: all arrays need the same number of rows. x has {}, {} has {}.", where, rows, names[g], t.dim(0));
    }
  GLIA_CHECK(rows > 0, "{}: the data is empty (0 rows).", where);
  return rows;
}

namespace {

class ArrayFeed : public Feed {
 public:
  ArrayFeed(std::vector<Tensor> x, std::vector<Tensor> y, std::vector<Tensor> w, ArrayFeedOptions o) : options_(o) {
    rows_ = x[0].dim(0);
    counts_ = {x.size(), y.size()};
    for (auto* group : {&x, &y, &w}) all_.insert(all_.end(), group->begin(), group->end());
    if (options_.shuffle) {
      order_.resize(static_cast<size_t>(rows_));
      std::iota(order_.begin(), order_.end(), int64_t{0});
    }
  }
  int64_t steps() const override { return (rows_ + options_.batch_size - 1) / options_.batch_size; }

  void start(uint64_t epoch) override {
    at_ = 0;
    if (!options_.shuffle) return;
    std::iota(order_.begin(), order_.end(), int64_t{0});
    PhiloxStream random(options_.seed, epoch);  // Fisher-Yates: the order depends on seed and epoch alone
    for (int64_t i = rows_ - 1; i > 0; --i)
      std::swap(order_[i], order_[static_cast<int64_t>(random.below(static_cast<uint64_t>(i + 1)))]);
  }

  void skip(int64_t batches) override { at_ = std::min(rows_, at_ + batches * options_.batch_size); }
  uint64_t seed() const override { return options_.seed; }
  void set_seed(uint64_t seed) override { options_.seed = seed; }

  bool next(FeedBatch& b) override {
    if (at_ >= rows_) return false;
    int64_t n = std::min(options_.batch_size, rows_ - at_);
    b.size = n;
    b.x.clear(), b.y.clear(), b.w.clear();
    for (size_t i = 0; i < all_.size(); ++i) {
      Tensor t = options_.shuffle ? gathered(i, n) : all_[i].slice(at_, at_ + n);
      (i < counts_.first ? b.x : i < counts_.first + counts_.second ? b.y : b.w).push_back(std::move(t));
    }
    at_ += n;
    return true;
  }

 private:
  Tensor gathered(size_t i, int64_t n) {
    if (buffers_.empty()) buffers_.resize(all_.size());
    const Tensor& src = all_[i];
    if (!buffers_[i].defined()) {
      Shape s = src.shape();
      s[0] = std::min(options_.batch_size, rows_);
      buffers_[i] = Tensor(s, src.dtype());
    }
    size_t row = src.bytes() / static_cast<size_t>(rows_);
    char* to = static_cast<char*>(buffers_[i].raw());
    const char* from = static_cast<const char*>(src.craw());
    for (int64_t k = 0; k < n; ++k) std::memcpy(to + static_cast<size_t>(k) * row, from + static_cast<size_t>(order_[at_ + k]) * row, row);
    return n == buffers_[i].dim(0) ? buffers_[i] : buffers_[i].slice(0, n);
  }

  ArrayFeedOptions options_;
  std::vector<Tensor> all_, buffers_;
  std::pair<size_t, size_t> counts_;
  std::vector<int64_t> order_;
  int64_t rows_ = 0, at_ = 0;
};

class DatasetFeed : public Feed {
 public:
  explicit DatasetFeed(Dataset d) : data_(std::move(d)) {}
  int64_t steps() const override { return std::max<int64_t>(-1, data_.cardinality()); }
  void start(uint64_t epoch) override { next_ = data_.open(epoch); }
  bool next(FeedBatch& b) override {
    Batch batch;
    if (!next_ || !next_(batch)) return false;
    b.x = std::move(batch.x);
    b.y = std::move(batch.y);
    b.w = std::move(batch.sample_weight);
    b.size = checked_rows("Dataset", b.x, b.y, b.w);
    return true;
  }

 private:
  Dataset data_;
  Dataset::Next next_;
};

}  // namespace

std::unique_ptr<Feed> array_feed(std::vector<Tensor> x, std::vector<Tensor> y, std::vector<Tensor> w, ArrayFeedOptions o) {
  return std::make_unique<ArrayFeed>(std::move(x), std::move(y), std::move(w), o);
}
std::unique_ptr<Feed> dataset_feed(Dataset data) { return std::make_unique<DatasetFeed>(std::move(data)); }

}  // namespace glia
