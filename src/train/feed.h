// Batches for the training loops: from arrays (rows gathered into buffers that are reused) or from a Dataset.
#pragma once
#include <glia/dataset.h>
#include <glia/model.h>

namespace glia {

struct FeedBatch {
  std::vector<Tensor> x, y, w;
  int64_t size = 0;
  std::vector<StringTensor> text = {};  // empty, or one per x: used where x is undefined
  std::vector<Tensor> encoded = {};     // results of the steps before the compiled one, as far as they are known

  bool is_text(size_t i) const { return i < text.size() && text[i].defined(); }
  FeedBatch rows(int64_t begin, int64_t end) const;
};

class Feed {
 public:
  virtual ~Feed() = default;
  virtual void start(uint64_t epoch) = 0;  // a new pass
  virtual bool next(FeedBatch& batch) = 0;
  virtual int64_t steps() const = 0;       // batches a pass, -1 when unknown
  virtual void skip(int64_t batches) {     // of the pass begun
    FeedBatch b;
    while (batches-- > 0 && next(b)) {
    }
  }
  virtual uint64_t seed() const { return 0; }  // of the order; 0 where there is none
  virtual void set_seed(uint64_t) {}           // before start()
};

struct ArrayFeedOptions {
  int64_t batch_size = 32;
  bool shuffle = false;
  uint64_t seed = 0;
};
std::unique_ptr<Feed> array_feed(FeedBatch all, ArrayFeedOptions options);
// `encode`, where given, is applied to every batch in a thread of its own, ahead of the training.
std::unique_ptr<Feed> dataset_feed(Dataset data, std::function<void(FeedBatch&)> encode = {});

// The number of rows, which all arrays share.
int64_t checked_rows(const char* where, const FeedBatch& batch);

}  // namespace glia
