// A subcommand of the program `glia`: a row in the table of commands.cpp and one file cmd_x.cpp.
//
//   Run add_info(CLI::App& app, Context& context) {       // declares options, returns what to do
//     return [&context] { context.print({{"threads", 2}}, "threads  2\n"); };
//   }
//
// A run throws Error for a bad file or bad data (exit status 2) and UsageError for bad arguments (1).
#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace glia::cli {

using json = nlohmann::ordered_json;

struct Context {
  bool as_json = false, quiet = false;
  int threads = 0;
  std::string isa;

  // One answer on stdout: as JSON, or as text for people.
  void print(const json& machine, const std::string& people) const;
  void note(const std::string& line) const;  // stderr, unless --quiet
};

struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Failed {  // with a status, after the answer has been printed
  int status;
};

// For options that count something. CLI11's own check prints the largest double there is.
inline CLI::Validator positive() {
  return {[](std::string& text) {
            double n = 0;
            const bool fits = CLI::detail::lexical_cast(text, n) && n > 0;
            return fits ? std::string() : "must be greater than 0. Received " + text;
          },
          "POSITIVE"};
}

using Run = std::function<void()>;
struct Command {
  const char* name;
  const char* summary;  // one line, for the list
  const char* details;  // paragraphs and examples, for `glia NAME --help`
  Run (*add)(CLI::App&, Context&);
};
const std::vector<Command>& commands();

Run add_summary(CLI::App&, Context&);
Run add_verify(CLI::App&, Context&);
Run add_convert(CLI::App&, Context&);
Run add_predict(CLI::App&, Context&);
Run add_evaluate(CLI::App&, Context&);
Run add_train(CLI::App&, Context&);
Run add_export(CLI::App&, Context&);
Run add_plot(CLI::App&, Context&);
Run add_info(CLI::App&, Context&);
Run add_bench(CLI::App&, Context&);

}  // namespace glia::cli
