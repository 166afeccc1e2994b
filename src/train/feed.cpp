#include "train/feed.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <numeric>

#include "base/error.h"
#include "base/philox.h"

namespace glia {

int64_t checked_rows(const char* where, const FeedBatch& b) {
  GLIA_CHECK(!b.x.empty(), "{}: x is empty. Give at least one input array.", where);
  int64_t rows = -1;
  auto check = [&](const char* name, int rank, int64_t n, const char* otherwise) {
    GLIA_CHECK(rank >= 1, "{}: {} must be an array with a batch axis. Received {}.", where, name, otherwise);
    if (rows < 0) rows = n;
    GLIA_CHECK(n == rows, "{}: all arrays need the same number of rows. x has {}, {} has {}.", where, rows, name, n);
  };
  const char* names[] = {"x", "y", "sample_weight"};
  const std::vector<Tensor>* groups[] = {&b.x, &b.y, &b.w};
  for (size_t g = 0; g < 3; ++g)
    for (size_t i = 0; i < groups[g]->size(); ++i) {
      const Tensor& t = (*groups[g])[i];
      if (g == 0 && b.is_text(i)) check("x", b.text[i].rank(), b.text[i].rank() ? b.text[i].shape[0] : 0, "a single string");
      else check(names[g], t.defined() ? t.rank() : 0, t.rank() ? t.dim(0) : 0, t.defined() ? "a scalar" : "an undefined tensor");
    }
  GLIA_CHECK(rows > 0, "{}: the data is empty (0 rows).", where);
  return rows;
}

FeedBatch FeedBatch::rows(int64_t begin, int64_t end) const {
  FeedBatch r;
  auto cut = [&](const std::vector<Tensor>& from, std::vector<Tensor>& to) {
    for (const Tensor& t : from) to.push_back(t.defined() ? t.slice(begin, end) : t);
  };
  cut(x, r.x), cut(y, r.y), cut(w, r.w), cut(encoded, r.encoded);
  for (const StringTensor& t : text) r.text.push_back(t.defined() ? t.slice(begin, end) : t);
  r.size = end - begin;
  return r;
}

namespace {

class ArrayFeed : public Feed {
 public:
  ArrayFeed(FeedBatch all, ArrayFeedOptions o) : options_(o), rows_(all.size), text_(std::move(all.text)) {
    groups_[0] = std::move(all.x), groups_[1] = std::move(all.y), groups_[2] = std::move(all.w), groups_[3] = std::move(all.encoded);
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
    std::vector<Tensor>* to[] = {&b.x, &b.y, &b.w, &b.encoded};
    for (size_t g = 0; g < 4; ++g) {
      to[g]->clear();
      buffers_[g].resize(groups_[g].size());
      for (size_t i = 0; i < groups_[g].size(); ++i) {
        const Tensor& all = groups_[g][i];
        to[g]->push_back(!all.defined() ? all : options_.shuffle ? gathered(all, buffers_[g][i], n) : all.slice(at_, at_ + n));
      }
    }
    b.text.clear();
    for (const StringTensor& t : text_) {
      if (!t.defined()) b.text.emplace_back();
      else if (!options_.shuffle) b.text.push_back(t.slice(at_, at_ + n));
      else b.text.push_back(t.take({order_.data() + at_, static_cast<size_t>(n)}));
    }
    at_ += n;
    return true;
  }

 private:
  Tensor gathered(const Tensor& src, Tensor& buffer, int64_t n) {
    if (!buffer.defined()) {
      Shape s = src.shape();
      s[0] = std::min(options_.batch_size, rows_);
      buffer = Tensor(s, src.dtype());
    }
    size_t row = src.bytes() / static_cast<size_t>(rows_);
    char* to = static_cast<char*>(buffer.raw());
    const char* from = static_cast<const char*>(src.craw());
    for (int64_t k = 0; k < n; ++k) std::memcpy(to + static_cast<size_t>(k) * row, from + static_cast<size_t>(order_[at_ + k]) * row, row);
    return n == buffer.dim(0) ? buffer : buffer.slice(0, n);
  }

  ArrayFeedOptions options_;
  int64_t rows_ = 0, at_ = 0;
  std::vector<StringTensor> text_;
  std::vector<Tensor> groups_[4], buffers_[4];  // x, y, w, encoded
  std::vector<int64_t> order_;
};

// A batch of a Dataset as the trainer takes it.
FeedBatch to_feed(Batch batch) {
  FeedBatch b;
  b.text = std::move(batch.strings);
  b.x = std::move(batch.x);
  b.x.resize(std::max(b.x.size(), b.text.size()));
  b.y = std::move(batch.y);
  b.w = std::move(batch.sample_weight);
  b.size = checked_rows("Dataset", b);
  return b;
}

class DatasetFeed : public Feed {
 public:
  DatasetFeed(Dataset d, std::function<void(FeedBatch&)> encode) : data_(std::move(d)), encode_(std::move(encode)) {}
  int64_t steps() const override { return std::max<int64_t>(-1, data_.cardinality()); }
  void start(uint64_t epoch) override {
    next_ = nullptr;
    if (!encode_) {
      next_ = data_.open(epoch);
      return;
    }
    // The results travel behind the inputs, through the thread that computes them ahead.
    next_ = data_
                .map([this](Batch batch) {
                  const size_t inputs = std::max(batch.x.size(), batch.strings.size());
                  FeedBatch b = to_feed(std::move(batch));
                  encode_(b);
                  b.x.insert(b.x.begin() + static_cast<std::ptrdiff_t>(inputs), b.encoded.begin(), b.encoded.end());
                  encoded_from_ = inputs;
                  return Batch{std::move(b.x), std::move(b.y), std::move(b.w), std::move(b.text)};
                })
                .prefetch(2)
                .open(epoch);
  }
  bool next(FeedBatch& b) override {
    Batch batch;
    if (!next_ || !next_(batch)) return false;
    std::vector<Tensor> encoded;
    if (encode_) {
      const auto from = batch.x.begin() + static_cast<std::ptrdiff_t>(encoded_from_.load());
      encoded.assign(from, batch.x.end());
      batch.x.erase(from, batch.x.end());
    }
    b = to_feed(std::move(batch));
    b.encoded = std::move(encoded);
    return true;
  }

 private:
  Dataset data_;
  std::function<void(FeedBatch&)> encode_;
  std::atomic<size_t> encoded_from_{0};
  Dataset::Next next_;  // last: its thread uses the others
};

}  // namespace

std::unique_ptr<Feed> array_feed(FeedBatch all, ArrayFeedOptions o) { return std::make_unique<ArrayFeed>(std::move(all), o); }
std::unique_ptr<Feed> dataset_feed(Dataset data, std::function<void(FeedBatch&)> encode) {
  return std::make_unique<DatasetFeed>(std::move(data), std::move(encode));
}

}  // namespace glia
