// A file system that fails on order, for tests of writers: every format must name the path and the need, leave the
// old file as it was and nothing beside it.
//
//   Scratch dir;
//   check_failed_writes(dir.path("model.npz"), [&](const std::string& p) { write_npz(p, arrays); });
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include <glia/error.h>

#include "io/file/system.h"

namespace glia::test {

struct Faults : io::FileSystem {
  uint64_t room = UINT64_MAX;      // bytes until the disk is full
  std::size_t at_most = SIZE_MAX;  // bytes that one write takes
  int interrupted_every = 0;       // every n-th write is interrupted by a signal
  int create_errno = 0, fsync_errno = 0, close_errno = 0, rename_errno = 0;
  int writes = 0;
  uint64_t total = 0;

  int create(const std::string& path, int mode) override {
    return create_errno ? (errno = create_errno, -1) : FileSystem::create(path, mode);
  }
  ssize_t write(int fd, const void* data, std::size_t n) override {
    ++writes;
    if (interrupted_every && writes % interrupted_every == 0) return errno = EINTR, -1;
    if (room == 0) return errno = ENOSPC, -1;
    ssize_t done = FileSystem::write(
        fd, data, std::min({n, at_most, static_cast<std::size_t>(std::min<uint64_t>(room, SIZE_MAX))}));
    if (done > 0) {
      total += static_cast<uint64_t>(done);
      if (room != UINT64_MAX) room -= static_cast<uint64_t>(done);
    }
    return done;
  }
  int fsync(int fd) override { return fsync_errno ? (errno = fsync_errno, -1) : FileSystem::fsync(fd); }
  int close(int fd) override {
    int rc = FileSystem::close(fd);
    return close_errno ? (errno = close_errno, -1) : rc;
  }
  int rename(const std::string& a, const std::string& b) override {
    return rename_errno ? (errno = rename_errno, -1) : FileSystem::rename(a, b);
  }
  uint64_t free_bytes(const std::string& folder) override {
    return room == UINT64_MAX ? FileSystem::free_bytes(folder) : room;
  }
};

inline std::string file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Runs `write` (which writes one file `path` through io::AtomicFile) with every fault in turn.
inline void check_failed_writes(const std::string& path, const std::function<void(const std::string&)>& write) {
  namespace fs = std::filesystem;
  auto only_file = [&](const std::string& content, const std::string& when) {
    EXPECT_EQ(file_bytes(path), content) << when;
    int beside = 0;
    for (auto& e : fs::directory_iterator(fs::path(path).parent_path())) beside += e.path() != fs::path(path);
    EXPECT_EQ(beside, 0) << when << ": a temporary file was left";
  };
  auto fails = [&](const std::string& when, Faults faults, const char* says) {
    std::ofstream(path, std::ios::binary) << "the old file";
    std::string message;
    try {
      io::ScopedFileSystem scoped(std::make_shared<Faults>(faults));
      write(path);
    } catch (const Error& e) {
      message = e.what();
    }
    EXPECT_NE(message.find(path), std::string::npos) << when << ": " << message;
    EXPECT_NE(message.find(says), std::string::npos) << when << ": " << message;
    only_file("the old file", when);
  };
  write(path);
  std::string whole = file_bytes(path);
  ASSERT_FALSE(whole.empty());
  for (uint64_t room : {uint64_t{0}, uint64_t{1}, uint64_t{whole.size() / 2}, uint64_t{whole.size() - 1}}) {
    Faults f;
    f.room = room;
    fails("disk full after " + std::to_string(room), f, "The file needs");
  }
  Faults f;
  f.create_errno = EACCES;
  fails("folder not writable", f, "must be writable");
  f = {};
  f.fsync_errno = EIO;
  fails("fsync fails", f, "Cannot sync");
  f = {};
  f.close_errno = EIO;
  fails("close fails", f, "Cannot finish");
  f = {};
  f.rename_errno = EROFS;
  fails("rename fails", f, "Cannot finish");
  f = {};
  f.at_most = std::max<std::size_t>(1, whole.size() / 50);  // short and interrupted writes are not failures
  f.interrupted_every = 3;
  {
    io::ScopedFileSystem scoped(std::make_shared<Faults>(f));
    write(path);
  }
  only_file(whole, "short writes");
}

}  // namespace glia::test
