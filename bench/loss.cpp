#include "loss.h"

#include <glia/glia.h>

#include <fstream>
#include <iterator>
#include <map>
#include <numeric>

#include "base/error.h"
#include "models.h"

namespace glia::bench {
namespace {

struct Windows {  // of a text: the characters, and each one's follower
  Tensor x, y;
};

std::vector<int32_t> read_ids(const std::string& path, int64_t vocabulary) {
  std::ifstream file(path, std::ios::binary);
  GLIA_CHECK(file.good(), "glia-bench loss: cannot read {}.", path);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  std::map<char, int32_t> id;
  for (char c : text) id.emplace(c, 0);
  GLIA_CHECK(static_cast<int64_t>(id.size()) <= vocabulary,
             "glia-bench loss: {} has {} different characters; the model knows {}.", path, id.size(), vocabulary);
  int32_t next = 0;
  for (auto& entry : id) entry.second = next++;
  std::vector<int32_t> ids;
  for (char c : text) ids.push_back(id[c]);
  return ids;
}

// `count` windows at random places of ids[begin, end).
Windows windows(const std::vector<int32_t>& ids, size_t begin, size_t end, int64_t count, int64_t length, uint32_t seed) {
  GLIA_CHECK(end > begin + static_cast<size_t>(length) + 1, "glia-bench loss: the text is too short.");
  Windows w{Tensor({count, length}, DType::i32), Tensor({count, length}, DType::i32)};
  for (int64_t i = 0; i < count; ++i) {
    seed = seed * 1664525u + 1013904223u;
    const size_t at = begin + (seed >> 3) % (end - begin - static_cast<size_t>(length) - 1);
    for (int64_t t = 0; t < length; ++t) {
      w.x.data<int32_t>()[i * length + t] = ids[at + static_cast<size_t>(t)];
      w.y.data<int32_t>()[i * length + t] = ids[at + static_cast<size_t>(t) + 1];
    }
  }
  return w;
}

double final_loss(const Workload& work, const char* policy, int64_t seed, const Windows& seen, const Windows& unseen) {
  clear_session();
  set_dtype_policy(policy);
  set_random_seed(seed);
  Model model = work.build();
  model.compile({.optimizer = "adam", .loss = "sparse_categorical_crossentropy"});
  model.fit(seen.x, seen.y, {.batch_size = work.batch, .epochs = 1, .verbose = 0, .shuffle = false});
  return model.evaluate(unseen.x, unseen.y, {.batch_size = work.batch, .verbose = 0})["loss"];
}

double mean(const std::vector<double>& v) {
  return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
}

}  // namespace

LossCheck compare_losses(const LossOptions& options) {
  const Workload& work = find_workload("gpt_mini");
  const std::vector<int32_t> ids = read_ids(options.text, work.tokens);
  const int64_t length = work.input[0];
  const size_t split = ids.size() / 10 * 9;
  const Windows unseen = windows(ids, split, ids.size(), work.batch * 100, length, 7);
  LossCheck c;
  for (int64_t seed = 1; seed <= options.seeds; ++seed) {
    const Windows seen = windows(ids, 0, split, work.batch * options.steps, length, static_cast<uint32_t>(seed));
    c.f32.push_back(final_loss(work, "float32", seed, seen, unseen));
    c.bf16.push_back(final_loss(work, "mixed_bfloat16", seed, seen, unseen));
  }
  set_dtype_policy("float32");
  c.difference = mean(c.bf16) / mean(c.f32) - 1;
  return c;
}

}  // namespace glia::bench
