// The examples of docs/cli.md, in their order: blocks with file=NAME are written, lines that start with "$ " are run.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace glia {
namespace {

namespace fs = std::filesystem;

TEST(CliDocs, ExamplesRun) {
  const fs::path dir = fs::temp_directory_path() / ("glia_cli_docs_" + std::to_string(::getpid()));
  fs::create_directories(dir);
  std::ifstream page(fs::path(GLIA_SOURCE_DIR) / "docs/cli.md");
  ASSERT_TRUE(page);
  std::string line, file, content;
  bool console = false;
  int commands = 0;
  while (std::getline(page, line)) {
    if (line.rfind("```", 0) == 0) {
      if (!file.empty()) std::ofstream(dir / file, std::ios::binary) << content;
      const size_t at = line.find("file=");
      file = at == std::string::npos ? "" : line.substr(at + 5);
      console = line == "```console";
      content.clear();
    } else if (!file.empty()) {
      content += line + "\n";
    } else if (console && line.rfind("$ ", 0) == 0) {
      ++commands;
      const std::string command = fmt::format("cd '{}' && PATH='{}/bin':$PATH && {} > out 2> err", dir.string(),
                                              GLIA_BINARY_DIR, line.substr(2));
      const int status = std::system(command.c_str());
      std::ifstream err(dir / "err");
      EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : 128, 0)
          << line << "\n"
          << std::string((std::istreambuf_iterator<char>(err)), {});
    }
  }
  EXPECT_GE(commands, 20);
  fs::remove_all(dir);
}

}  // namespace
}  // namespace glia
