// The application models compute what Keras computes, with weights that both make (the small ones; applications_forward_long_test.cpp has all).
// Golden file: tools/golden/applications_forward.py (Keras 3.15).
#include "../support/applications.h"

namespace glia::parity {
namespace {

TEST(ApplicationsForward, SmallOnes) {
  int models = 0;
  for_each_line(std::string(GLIA_SOURCE_DIR) + "/tests/golden/applications_forward.jsonl.gz", [&](const json& line) {
    if (line["params"].get<int64_t>() > 6000000) return;
    SCOPED_TRACE(line["model"].get<std::string>() + line["args"].dump());
    expect_forward(line);
    ++models;
  });
  EXPECT_GE(models, 6);
}

}  // namespace
}  // namespace glia::parity
