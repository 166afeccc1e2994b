// For tests: a scratch folder, files in it, and the real data under ../shared/data (skipped where it is absent).
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace glia::test {

class Scratch {
 public:
  Scratch() {
    static int count = 0;
    dir_ = std::filesystem::temp_directory_path() / ("glia_test_" + std::to_string(getpid()) + "_" + std::to_string(count++));
    std::filesystem::create_directories(dir_);
  }
  ~Scratch() { std::filesystem::remove_all(dir_); }
  std::string path(const std::string& name) const { return (dir_ / name).string(); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories((dir_ / name).parent_path());
    std::ofstream(dir_ / name, std::ios::binary) << bytes;
    return path(name);
  }
  std::string write_gz(const std::string& name, const std::string& bytes) const {
    gzFile f = gzopen(path(name).c_str(), "wb");
    gzwrite(f, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(f);
    return path(name);
  }

 private:
  std::filesystem::path dir_;
};

// Sets an environment variable for the life of the object.
class Env {
 public:
  Env(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old, had_ = true;
    setenv(name, value.c_str(), 1);
  }
  ~Env() {
    if (had_) setenv(name_, old_.c_str(), 1);
    else unsetenv(name_);
  }

 private:
  const char* name_;
  std::string old_;
  bool had_ = false;
};

// The path of a real file, or "" when the folder is not on this machine.
inline std::string shared_file(const std::string& name) {
  for (std::string root : {std::string(std::getenv("GLIA_DATA_DIR") ? std::getenv("GLIA_DATA_DIR") : ""),
                           std::string(GLIA_SHARED_DIR) + "/data"}) {
    std::error_code ec;
    if (!root.empty() && std::filesystem::exists(root + "/" + name, ec)) return root + "/" + name;
  }
  return "";
}

template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "(no error)";
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace glia::test

#define GLIA_REAL_FILE(var, name)                      \
  std::string var = ::glia::test::shared_file(name);   \
  if (var.empty()) GTEST_SKIP() << name << " is not on this machine (looked in GLIA_DATA_DIR and ../shared/data)"
#define EXPECT_HAS(text, part) EXPECT_PRED2(::glia::test::contains, text, part)
