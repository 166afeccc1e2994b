// For tests: a child process saves checkpoints in a loop and is killed at a random instant; what it leaves must be a
// complete checkpoint, and none older than the last save that had finished.
#pragma once
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glia/glia.h>

#include <atomic>
#include <chrono>
#include <new>

#include "base/philox.h"
#include "data/test_files.h"
#include "io/checkpoint/checkpoint.h"

namespace glia::test {

// The child: save k holds the weights k; `finished` is shared memory. No thread and no kernel runs in it, only the
// writer.
[[noreturn]] inline void save_forever(const Model& model, const std::string& path, std::atomic<int64_t>& finished,
                                      int64_t size) {
  Tensor t({size});
  for (int64_t k = 1;; ++k) {
    t.fill(static_cast<double>(k));
    model->weights()[0].tensor().copy_from(t.reshape({4, size / 4}));
    save_checkpoint(model, path);
    finished.store(k);
  }
}

inline void check_kills(int times, uint64_t seed) {
  Scratch dir;
  std::string path = dir.path("model.glia");
  void* shared = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  auto* finished = new (shared) std::atomic<int64_t>(0);
  PhiloxStream rng(seed, 0);
  int while_writing = 0;
  for (int i = 0; i < times; ++i) {
    std::filesystem::remove(path);
    finished->store(0);
    int64_t size = int64_t{4} << rng.below(18);  // files of 2 kB to 4 MB
    Sequential model({layers::Dense(size / 4, {.use_bias = false, .input_shape = {4}})});
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      try {
        save_forever(model, path, *finished, size);
      } catch (...) {
        _exit(3);
      }
    }
    while (finished->load() == 0) usleep(100);
    usleep(static_cast<useconds_t>(rng.below(20000)));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself, status " << status;
    int64_t done = finished->load();
    for (auto& e : std::filesystem::directory_iterator(std::filesystem::path(path).parent_path()))
      while_writing += e.path() != path;
    io::remove_stale_temporaries(path);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(std::filesystem::path(path).parent_path()), {}), 1);
    Tensor w = models::load_glia(path).get_weights()[0];  // throws for anything incomplete
    EXPECT_EQ(w.size(), size);
    EXPECT_GE(w.item(0), static_cast<double>(done)) << "an older checkpoint than the last that was saved";
    EXPECT_LE(w.item(0), static_cast<double>(done + 1));
    EXPECT_EQ(w.item(w.size() - 1), w.item(0));
  }
  EXPECT_GT(while_writing, 0) << "no kill hit a save; the test shows nothing";
  munmap(shared, 4096);
}

}  // namespace glia::test
