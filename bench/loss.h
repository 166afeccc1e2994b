// Whether mixed precision learns as float32 does: gpt_mini trained on a text under both policies, from the same weights on the same
// batches, and judged on the last tenth of the text, which it did not see.
//
//   LossCheck c = compare_losses({.text = "input.txt", .steps = 1200});
//   c.difference;  // (bf16 - f32) / f32, of the means over the seeds
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace glia::bench {

struct LossOptions {
  std::string text;        // path; at most 65 different bytes, as the workload's vocabulary
  int64_t steps = 1200;    // of 12 x 64 characters
  int64_t seeds = 1;       // runs with the seeds 1, 2, ...
};

struct LossCheck {
  std::vector<double> f32, bf16;  // cross-entropy in nats per character on unseen text, one per seed
  double difference = 0;
};

LossCheck compare_losses(const LossOptions& options);  // throws Error where the file cannot be used

}  // namespace glia::bench
