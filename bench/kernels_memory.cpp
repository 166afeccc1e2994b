// The floor under everything else: a copy inside the caches and one outside, and an empty parallel region.
#include <cstring>
#include <memory>
#include <vector>

#include "base/thread_pool.h"
#include "kernels.h"

namespace glia::bench {
namespace {

KernelBench copy_bench(std::string name, std::size_t bytes) {
  return {.name = std::move(name), .bytes = 2.0 * static_cast<double>(bytes), .setup = [bytes] {
            auto from = std::make_shared<std::vector<char>>(bytes, char{1});
            auto to = std::make_shared<std::vector<char>>(bytes, char{2});
            return std::function<void()>([=] {
              constexpr int64_t kChunks = 16;
              const std::size_t part = bytes / kChunks;
              parallel_for(kChunks, [&](int64_t i) {
                const std::size_t at = static_cast<std::size_t>(i) * part;
                std::memcpy(to->data() + at, from->data() + at, part);
              });
            });
          }};
}

}  // namespace

void add_memory_kernels(std::vector<KernelBench>& list) {
  list.push_back(copy_bench("copy_256k", std::size_t{256} << 10));
  list.push_back(copy_bench("copy_64m", std::size_t{64} << 20));
  list.push_back({.name = "parallel_for_empty",
                  .setup = [] { return std::function<void()>([] { parallel_for(2, [](int64_t) {}); }); }});
}

}  // namespace glia::bench
