// A thread that runs a pass of a Dataset ahead of its consumer.
#pragma once
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include <glia/dataset.h>

namespace glia::data {

class Prefetcher {
 public:
  Prefetcher(Dataset::Next source, std::size_t depth) : source_(std::move(source)), depth_(depth) {
    worker_ = std::thread([this] { run(); });
  }
  ~Prefetcher() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    space_.notify_one();
    worker_.join();
  }
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  bool next(Batch& out) {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return !ready_.empty() || done_; });
    if (ready_.empty()) {
      if (std::exception_ptr e = std::exchange(error_, nullptr)) std::rethrow_exception(e);
      return false;
    }
    out = std::move(ready_.front());
    ready_.pop_front();
    space_.notify_one();
    return true;
  }

 private:
  void run() {
    std::exception_ptr error;
    try {
      produce();
    } catch (...) {
      error = std::current_exception();
    }
    std::lock_guard lock(mutex_);
    error_ = error;
    done_ = true;
    filled_.notify_one();
  }
  void produce() {
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        space_.wait(lock, [this] { return stop_ || ready_.size() < depth_; });
        if (stop_) return;
      }
      Batch b;
      if (!source_(b)) return;
      std::lock_guard lock(mutex_);
      ready_.push_back(std::move(b));
      filled_.notify_one();
    }
  }

  Dataset::Next source_;
  std::size_t depth_;
  std::mutex mutex_;
  std::condition_variable filled_, space_;
  std::deque<Batch> ready_;
  std::exception_ptr error_;
  bool stop_ = false, done_ = false;
  std::thread worker_;
};

}  // namespace glia::data
