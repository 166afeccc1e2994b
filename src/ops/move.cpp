#include "ops/move.h"

#include <algorithm>
#include <optional>

#include "base/thread_pool.h"

namespace glia::ops {
using namespace ir;

Shape row_major_strides(const Shape& shape) {
  Shape s(shape.size());
  int64_t step = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    s[i] = step;
    step *= shape[i];
  }
  return s;
}

namespace {
struct CopyParams {
  std::vector<Copy> copies;
  int size;
  std::optional<Fill> fill;
};
void run_copies(const KernelArgs& a) {
  const auto& p = a.param<CopyParams>();
  char* out = static_cast<char*>(a.out[0]);
  if (p.fill) {
    constexpr int64_t kPart = 1 << 16;
    parallel_for((p.fill->count + kPart - 1) / kPart, [&](int64_t t) {
      cpu::fill_elements(out + t * kPart * p.size, std::min(kPart, p.fill->count - t * kPart), p.fill->pattern,
                         p.size);
    });
  }
  for (const Copy& c : p.copies)
    c.kernel.run(static_cast<const char*>(a.in[c.input]) + c.src_at * p.size, out + c.dst_at * p.size);
}
}  // namespace

KernelPlan copy_plan(std::vector<Copy> copies, int elem_size, const Fill* fill) {
  KernelPlan plan;
  CopyParams p{std::move(copies), elem_size, {}};
  if (fill) p.fill = *fill;
  plan.params = kernel_params(std::move(p));
  plan.fn = run_copies;
  return plan;
}

}  // namespace glia::ops
