// glia-parity: runs parity vectors (what real Keras computed) through Glia and compares.
//
//   glia-parity ../shared/parity/*.jsonl.gz
//   glia-parity layer.jsonl.gz --filter 'layer/LSTM*' --isa avx2 --threads 1
//
// One line per failing id, `unsupported` for classes and functions that do not exist, and last
// `N passed, N failed, N unsupported`. Exit status 0 only when none failed.
#include <fnmatch.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <set>

#include "base/cpu.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "cli/parity/kinds.h"

namespace glia::parity {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string filter, isa, known_file;
  std::set<std::string> known;  // ids of lines that are known to differ
  int threads = 0;
  bool json_lines = false, quiet_unsupported = false, verbose = false;
};

struct Counts {
  int passed = 0, failed = 0, unsupported = 0, known = 0;
};

enum class Outcome { passed, failed, unsupported, known };

void print(const Options& o, const std::string& id, Outcome outcome, const std::string& note, double worst) {
  const char* word = outcome == Outcome::passed ? "passed" : outcome == Outcome::failed ? "failed" : outcome == Outcome::known ? "known" : "unsupported";
  if (o.json_lines) {
    std::printf("%s\n", nlohmann::ordered_json{{"id", id}, {"outcome", word}, {"note", note}, {"worst", worst}}
                            .dump(-1, ' ', false, json::error_handler_t::replace)
                            .c_str());
  } else if (outcome == Outcome::failed || (outcome == Outcome::unsupported && !o.quiet_unsupported) || o.verbose) {
    std::printf("%-11s %s%s%s\n", word, id.c_str(), note.empty() ? "" : ": ", note.c_str());
  }
}

void run_one(const Options& o, const json& line, Counts& counts) {
  const std::string id = line.at("id").get<std::string>();
  const bool wanted = o.filter.empty() || id.find(o.filter) != std::string::npos ||
                      fnmatch(o.filter.c_str(), id.c_str(), 0) == 0;
  if (!wanted) return;
  Check check;
  Outcome outcome = Outcome::failed;
  std::string note;
  try {
    run_line(line, check);
    outcome = check.passed() ? Outcome::passed : Outcome::failed;
    note = check.report();
  } catch (const Unsupported& e) {
    outcome = Outcome::unsupported;
    note = e.what();
  } catch (const std::exception& e) {
    note = e.what();
  }
  if (o.known.count(id) > 0) {  // the list stays true: what passes again must be taken off it
    if (outcome == Outcome::passed) note = "passes but is listed in " + o.known_file;
    outcome = outcome == Outcome::passed ? Outcome::failed : Outcome::known;
  }
  (outcome == Outcome::known ? counts.known : outcome == Outcome::passed ? counts.passed : outcome == Outcome::failed ? counts.failed : counts.unsupported)++;
  print(o, id, outcome, note, check.worst());
}

void apply(const Options& o) {
  if (o.threads > 0) set_num_threads(o.threads);
  if (o.isa.empty()) return;
  for (Isa isa : {Isa::scalar, Isa::neon, Isa::avx2, Isa::avx512}) {
    if (o.isa != isa_name(isa)) continue;
    GLIA_CHECK(isa <= best_isa(), "--isa {}: this machine's best is {}.", o.isa, isa_name(best_isa()));
    return set_isa(isa);
  }
  throw_error("--isa {}: expected scalar, avx2, avx512 or neon.", o.isa);
}

// One id a line; what follows "#" is a remark.
std::set<std::string> read_known(const std::string& path) {
  std::set<std::string> ids;
  std::ifstream in(path);
  GLIA_CHECK(in.good(), "{}: cannot open the file.", path);
  for (std::string line; std::getline(in, line);) {
    line = line.substr(0, line.find('#'));
    const auto last = line.find_last_not_of(" \t\r");
    if (last != std::string::npos) ids.insert(line.substr(0, last + 1));
  }
  return ids;
}

int run(int argc, char** argv) {
  Options o;
  CLI::App app{"Runs parity vectors computed by Keras through Glia and compares."};
  app.add_option("FILE", o.files, "files of JSON lines, plain or gzip")->required()->check(CLI::ExistingFile);
  app.add_option("--filter", o.filter, "only ids that contain this text or match this pattern");
  app.add_option("--known", o.known_file, "file of ids that are known to differ, with reasons; they do not count as failed")->check(CLI::ExistingFile);
  app.add_option("--isa", o.isa, "force an instruction set: scalar, avx2, avx512, neon");
  app.add_option("--threads", o.threads, "threads (default: the cores granted)");
  app.add_flag("--json", o.json_lines, "one JSON object per line of the files");
  app.add_flag("--quiet-unsupported", o.quiet_unsupported, "count unsupported lines without printing them");
  app.add_flag("--verbose", o.verbose, "print passing ids as well");
  CLI11_PARSE(app, argc, argv);
  apply(o);
  if (!o.known_file.empty()) o.known = read_known(o.known_file);
  Counts counts;
  for (const std::string& file : o.files) {
    for_each_line(file, [&](const json& line) { run_one(o, line, counts); });
    std::fflush(stdout);
  }
  if (counts.known > 0) std::printf("%d known differences\n", counts.known);
  std::printf("%d passed, %d failed, %d unsupported\n", counts.passed, counts.failed, counts.unsupported);
  return counts.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace glia::parity

int main(int argc, char** argv) {
  try {
    return glia::parity::run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "glia-parity: %s\n", e.what());
    return 2;
  }
}
