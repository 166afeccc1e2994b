// Resume at every step of 60, for every case; kills at 200 instants of a save loop.
#include <numeric>

#include "io/checkpoint/kill_runs.h"
#include "io/checkpoint/resume_runs.h"

namespace glia {

TEST(ResumeLong, EveryStep) {
  for (auto& c : test::resume_cases()) {
    std::vector<int64_t> stops(c.dataset ? 30 : 60);
    std::iota(stops.begin(), stops.end(), int64_t{0});
    check_resume(c, stops);
  }
}

TEST(CheckpointLong, SurvivesKills) { test::check_kills(200, 2); }

}  // namespace glia
