#include <glia/dataset.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <numeric>

#include "base/error.h"
#include "base/philox.h"
#include "data/prefetch.h"

namespace glia {
namespace {

// Calls f on every array of the batch, a Tensor or a StringTensor. An input is one or the other.
template <class F>
void for_each_array(Batch& b, F&& f) {
  for (size_t i = 0; i < b.x.size(); ++i)
    if (i >= b.strings.size() || !b.strings[i].defined()) f(b.x[i]);
  for (StringTensor& t : b.strings)
    if (t.defined()) f(t);
  for (auto* part : {&b.y, &b.sample_weight})
    for (Tensor& t : *part) f(t);
}

template <class F>
Batch transform(Batch b, F&& f) {
  for_each_array(b, [&](auto& t) { t = f(t); });
  return b;
}

// The example in row i of a tensor, without the axis.
Tensor row_of(const Tensor& t, int64_t i) { return t.slice(i, i + 1).reshape(Shape(t.shape().begin() + 1, t.shape().end())); }
StringTensor row_of(const StringTensor& t, int64_t i) { return t.slice(i, i + 1).reshape(Shape(t.shape.begin() + 1, t.shape.end())); }
Tensor copy_of(const Tensor& t) { return t.defined() ? t.clone() : t; }
StringTensor copy_of(const StringTensor& t) { return t; }
const Shape& shape_of(const Tensor& t) { return t.shape(); }
const Shape& shape_of(const StringTensor& t) { return t.shape; }

std::vector<int64_t> permutation(int64_t n, uint64_t seed, uint64_t epoch) {
  std::vector<int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  PhiloxStream rng(seed, epoch);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[rng.below(i)]);
  return order;
}

Tensor stack(const std::vector<Batch>& rows, std::vector<Tensor> Batch::*part, std::size_t index) {
  const Tensor& first = (rows[0].*part)[index];
  Shape shape = first.shape();
  shape.insert(shape.begin(), static_cast<int64_t>(rows.size()));
  Tensor out(shape, first.dtype());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const Tensor& t = (rows[r].*part)[index];
    GLIA_CHECK(t.shape() == first.shape() && t.dtype() == first.dtype(),
               "Dataset::batch: example {} of the batch is {} {} but the first is {} {}. Bring examples to one shape first, "
               "e.g. with pad_sequences.",
               r, dtype_name(t.dtype()), to_string(t.shape()), dtype_name(first.dtype()), to_string(first.shape()));
    if (first.bytes()) std::memcpy(static_cast<char*>(out.raw()) + r * first.bytes(), t.raw(), first.bytes());
  }
  return out;
}

StringTensor stack_strings(const std::vector<Batch>& rows, size_t index) {
  StringTensor out;
  for (const Batch& r : rows) {
    GLIA_CHECK(index < r.strings.size() && r.strings[index].shape == rows[0].strings[index].shape,
               "Dataset::batch: the strings of an example have another shape than those of the first of the batch.");
    out.values.insert(out.values.end(), r.strings[index].values.begin(), r.strings[index].values.end());
  }
  out.shape = rows[0].strings[index].shape;
  out.shape.insert(out.shape.begin(), static_cast<int64_t>(rows.size()));
  return out;
}

Batch stack_all(const std::vector<Batch>& rows) {
  Batch out;
  for (size_t i = 0; i < rows[0].strings.size(); ++i) out.strings.push_back(rows[0].strings[i].defined() ? stack_strings(rows, i) : StringTensor());
  for (auto part : {&Batch::x, &Batch::y, &Batch::sample_weight}) {
    for (const Batch& r : rows) {
      GLIA_CHECK((r.*part).size() == (rows[0].*part).size(), "Dataset::batch: examples have different numbers of tensors.");
    }
    for (std::size_t i = 0; i < (rows[0].*part).size(); ++i) {
      const bool text = part == &Batch::x && i < rows[0].strings.size() && rows[0].strings[i].defined();
      (out.*part).push_back(text ? Tensor() : stack(rows, part, i));
    }
  }
  return out;
}

}  // namespace

// While the pipeline is still "rows of these tensors in some order", it is kept in that form (table, order): batches are
// then gathered, or just sliced, at once instead of row by row.
struct Dataset::Impl {
  Open open;
  int64_t cardinality = kUnknown;
  bool fresh = false;  // elements are made anew for each pass: nobody else sees their memory
  bool tabular = false;
  Batch table;
  std::function<std::vector<int64_t>(uint64_t epoch)> order;  // empty: as they stand
  std::atomic<uint64_t> passes{0};
};

Dataset Dataset::from_generator(Open open, int64_t cardinality) {
  auto impl = std::make_shared<Impl>();
  impl->open = std::move(open);
  impl->cardinality = cardinality;
  return Dataset(impl);
}

Dataset Dataset::from_tensors(const Tensor& x, const Tensor& y, const Tensor& sample_weight) {
  Batch all;
  GLIA_CHECK(x.defined(), "Dataset::from_tensors: x is empty. Expected a tensor with at least one axis.");
  all.x.push_back(x);
  if (y.defined()) all.y.push_back(y);
  if (sample_weight.defined()) all.sample_weight.push_back(sample_weight);
  return from_tensors(std::move(all));
}

Dataset Dataset::from_tensors(const StringTensor& x, const Tensor& y, const Tensor& sample_weight) {
  Batch all;
  GLIA_CHECK(x.defined(), "Dataset::from_tensors: x is empty. Expected strings with at least one axis.");
  all.x.emplace_back();
  all.strings.push_back(x);
  if (y.defined()) all.y.push_back(y);
  if (sample_weight.defined()) all.sample_weight.push_back(sample_weight);
  return from_tensors(std::move(all));
}

Dataset Dataset::from_tensors(Batch all) {
  int64_t n = -1;
  for_each_array(all, [&](auto& t) {
    GLIA_CHECK(t.defined() && t.rank() >= 1, "Dataset::from_tensors: expected tensors with at least one axis. Received shape {}.",
               to_string(shape_of(t)));
    GLIA_CHECK(n < 0 || t.dim(0) == n, "Dataset::from_tensors: all tensors need the same number of rows. Received {} and {}.",
               n, t.dim(0));
    n = t.dim(0);
  });
  GLIA_CHECK(n >= 0, "Dataset::from_tensors: no tensors.");
  auto rows = std::make_shared<const Batch>(all);
  Dataset d = from_generator(
      [rows, n](uint64_t) -> Next {
        return [rows, n, i = int64_t{0}](Batch& out) mutable {
          if (i >= n) return false;
          out = transform(*rows, [i](const auto& t) { return row_of(t, i); });
          ++i;
          return true;
        };
      },
      n);
  d.impl_->tabular = true;
  d.impl_->table = std::move(all);
  return d;
}

// Streaming: the next element is drawn from the `window` elements that are read ahead.
static Dataset window_shuffle(Dataset::Open upstream, int64_t cardinality, std::size_t window, const ShuffleOptions& o) {
  return Dataset::from_generator(
      [upstream = std::move(upstream), o, window](uint64_t epoch) -> Dataset::Next {
        struct State {
          Dataset::Next next;
          std::vector<Batch> buffer;
          PhiloxStream rng;
        };
        uint64_t stream = o.reshuffle_each_iteration ? epoch : 0;
        auto s = std::make_shared<State>(State{upstream(epoch), {}, PhiloxStream(o.seed, stream)});
        return [s, window](Batch& out) {
          Batch b;
          while (s->next && s->buffer.size() < window) {
            if (s->next(b)) s->buffer.push_back(std::move(b));
            else s->next = nullptr;
          }
          if (s->buffer.empty()) return false;
          std::swap(s->buffer[s->rng.below(s->buffer.size())], s->buffer.back());
          out = std::move(s->buffer.back());
          s->buffer.pop_back();
          return true;
        };
      },
      cardinality);
}

Dataset Dataset::shuffle(const ShuffleOptions& o) const {
  GLIA_CHECK(o.buffer_size >= 0, "Dataset::shuffle: buffer_size must be 0 (everything) or more. Received {}.", o.buffer_size);
  int64_t n = impl_->cardinality;
  bool whole = o.buffer_size == 0 || (n >= 0 && o.buffer_size >= n);
  GLIA_CHECK(!whole || n != kInfinite,
             "Dataset::shuffle: an infinite dataset cannot be shuffled as a whole. Give a buffer_size, or shuffle before repeat.");
  if (!whole || !impl_->tabular) {
    return window_shuffle(impl_->open, n, whole ? ~std::size_t{0} : static_cast<std::size_t>(o.buffer_size), o);
  }
  Dataset d = from_tensors(impl_->table);
  d.impl_->order = [before = impl_->order, n, o](uint64_t epoch) {
    std::vector<int64_t> order = permutation(n, o.seed, o.reshuffle_each_iteration ? epoch : 0);
    if (before) {
      std::vector<int64_t> rows = before(epoch);
      for (int64_t& i : order) i = rows[static_cast<std::size_t>(i)];
    }
    return order;
  };
  d.impl_->open = [table = impl_->table, order = d.impl_->order](uint64_t epoch) -> Next {
    return [table, rows = order(epoch), i = std::size_t{0}](Batch& out) mutable {
      if (i >= rows.size()) return false;
      out = transform(table, [r = rows[i]](const auto& t) { return row_of(t, r); });
      ++i;
      return true;
    };
  };
  return d;
}

Dataset Dataset::batch(int64_t n, const BatchOptions& o) const {
  GLIA_CHECK(n >= 1, "Dataset::batch: the batch size must be at least 1. Received {}.", n);
  auto impl = impl_;
  int64_t count = impl->cardinality < 0 ? impl->cardinality
                                        : (impl->cardinality + (o.drop_remainder ? 0 : n - 1)) / n;
  if (impl->tabular) {
    Dataset d = from_generator(
        [impl, n, count](uint64_t epoch) -> Next {
          auto order = impl->order ? impl->order(epoch) : std::vector<int64_t>();
          return [impl, n, count, order = std::move(order), i = int64_t{0}](Batch& out) mutable {
            if (i >= count) return false;
            int64_t begin = i * n, end = std::min(begin + n, impl->cardinality);
            out = transform(impl->table, [&](const auto& t) {
              if (order.empty()) return t.slice(begin, end);
              return t.take(std::span(order).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
            });
            ++i;
            return true;
          };
        },
        count);
    d.impl_->fresh = impl->order != nullptr;
    return d;
  }
  Dataset d = from_generator(
      [impl, n, o](uint64_t epoch) -> Next {
        return [next = impl->open(epoch), n, o](Batch& out) {
          std::vector<Batch> rows;
          Batch b;
          while (static_cast<int64_t>(rows.size()) < n && next(b)) rows.push_back(std::move(b));
          if (rows.empty() || (o.drop_remainder && static_cast<int64_t>(rows.size()) < n)) return false;
          out = stack_all(rows);
          return true;
        };
      },
      count);
  d.impl_->fresh = true;
  return d;
}

Dataset Dataset::map(std::function<Batch(Batch)> fn) const {
  return from_generator(
      [impl = impl_, fn = std::move(fn)](uint64_t epoch) -> Next {
        return [next = impl->open(epoch), fn, own = impl->fresh](Batch& out) {
          if (!next(out)) return false;
          if (!own) for_each_array(out, [](auto& t) { t = copy_of(t); });  // fn may write to what it is given
          out = fn(std::move(out));
          return true;
        };
      },
      impl_->cardinality);
}

Dataset Dataset::prefetch(int64_t n) const {
  GLIA_CHECK(n >= 1, "Dataset::prefetch: the number of elements must be at least 1. Received {}.", n);
  return from_generator(
      [impl = impl_, n](uint64_t epoch) -> Next {
        auto ahead = std::make_shared<data::Prefetcher>(impl->open(epoch), static_cast<std::size_t>(n));
        return [ahead](Batch& out) { return ahead->next(out); };
      },
      impl_->cardinality);
}

Dataset Dataset::repeat(int64_t count) const {
  GLIA_CHECK(count >= -1, "Dataset::repeat: count must be -1 (for ever) or more. Received {}.", count);
  int64_t n = impl_->cardinality;
  int64_t total = count == 0 || n == 0 ? 0 : n == kUnknown ? kUnknown : count < 0 || n == kInfinite ? kInfinite : n * count;
  return from_generator(
      [impl = impl_, count](uint64_t epoch) -> Next {
        // Pass k of epoch e is a pass of its own below, so that every repetition is shuffled anew.
        uint64_t first = count > 0 ? epoch * static_cast<uint64_t>(count) : epoch << 32;
        return [impl, count, first, k = int64_t{0}, next = Next()](Batch& out) mutable {
          while (count < 0 || k < count || next) {
            bool fresh = !next;
            if (fresh) next = impl->open(first + static_cast<uint64_t>(k++));
            if (next(out)) return true;
            next = nullptr;
            if (fresh) return false;  // an empty pass: repeating it would never end
          }
          return false;
        };
      },
      total);
}

Dataset Dataset::take(int64_t n) const {
  GLIA_CHECK(n >= 0, "Dataset::take: expected 0 or more elements. Received {}.", n);
  int64_t c = impl_->cardinality;
  if (impl_->tabular && !impl_->order) {
    return from_tensors(transform(impl_->table, [m = std::min(n, c)](const auto& t) { return t.slice(0, m); }));
  }
  return from_generator(
      [impl = impl_, n](uint64_t epoch) -> Next {
        return [next = impl->open(epoch), left = n](Batch& out) mutable { return left-- > 0 && next(out); };
      },
      c >= 0 ? std::min(n, c) : c == kInfinite ? n : kUnknown);
}

Dataset Dataset::skip(int64_t n) const {
  GLIA_CHECK(n >= 0, "Dataset::skip: expected 0 or more elements. Received {}.", n);
  int64_t c = impl_->cardinality;
  if (impl_->tabular && !impl_->order) {
    return from_tensors(transform(impl_->table, [n, c](const auto& t) { return t.slice(std::min(n, c), c); }));
  }
  return from_generator(
      [impl = impl_, n](uint64_t epoch) -> Next {
        return [next = impl->open(epoch), left = n](Batch& out) mutable {
          for (; left > 0; --left) {
            if (!next(out)) return left = 0, false;
          }
          return next(out);
        };
      },
      c >= 0 ? std::max<int64_t>(0, c - n) : c);
}

int64_t Dataset::cardinality() const { return impl_->cardinality; }
Dataset::Next Dataset::open(uint64_t epoch) const { return impl_->open(epoch); }
Dataset::Iterator Dataset::begin() const { return Iterator(impl_->open(impl_->passes++)); }

}  // namespace glia
