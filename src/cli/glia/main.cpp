// glia: models from the command line. `glia --help` lists the subcommands; docs/cli.md describes them.
//
// Exit status: 0 done, 1 the arguments are wrong, 2 a file or its data are bad (the message says which and how to
// mend it).
#include <cstdio>
#include <map>

#include "base/cpu.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "cli/glia/command.h"

namespace glia::cli {

void Context::print(const json& machine, const std::string& people) const {
  const std::string text = as_json ? machine.dump(2, ' ', false, json::error_handler_t::replace) + "\n" : people;
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}
void Context::note(const std::string& line) const {
  if (!quiet) std::fprintf(stderr, "%s\n", line.c_str());
}

namespace {

void apply(const Context& c) {
  if (c.threads > 0) set_num_threads(c.threads);
  if (c.isa.empty()) return;
  for (Isa isa : {Isa::scalar, Isa::neon, Isa::avx2, Isa::avx512}) {
    if (c.isa != isa_name(isa)) continue;
    if (isa > best_isa())
      throw UsageError(fmt::format("--isa {}: this machine's best is {}.", c.isa, isa_name(best_isa())));
    return set_isa(isa);
  }
  throw UsageError(fmt::format("--isa {}: expected scalar, neon, avx2 or avx512.", c.isa));
}

int fail(const Context& c, const std::string& command, const std::string& message, int status) {
  if (c.as_json)
    std::printf(
        "%s\n",
        json{{"error", message}, {"status", status}}.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
  std::fprintf(stderr, "glia%s%s: %s\n", command.empty() ? "" : " ", command.c_str(), message.c_str());
  return status;
}

// CLI11's own message for an unknown word says little.
std::string unknown_command(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return {};
  std::vector<std::string> known;
  for (const Command& c : commands()) {
    if (std::string(argv[1]) == c.name) return {};
    known.push_back(c.name);
  }
  return fmt::format("unknown command '{}'.{} `glia --help` lists the commands.", argv[1],
                     did_you_mean(argv[1], known));
}

int run(int argc, char** argv) {
  Context context;
  if (std::string message = unknown_command(argc, argv); !message.empty()) return fail(context, "", message, 1);
  CLI::App app{"Deep learning models from the command line: inspect, check, convert, run, train, export.", "glia"};
  app.set_version_flag("--version", std::string("glia ") + GLIA_VERSION);
  app.require_subcommand(1);
  app.footer(
      "`glia COMMAND --help` describes a command with examples.\nExit status: 0 done, 1 wrong arguments, 2 bad file "
      "or data.");
  std::map<std::string, Run> runs;
  for (const Command& c : commands()) {
    CLI::App* sub = app.add_subcommand(c.name, c.summary);
    sub->footer(c.details);
    sub->add_flag("--json", context.as_json, "answer as JSON on stdout");
    sub->add_flag("-q,--quiet", context.quiet, "no progress or notes on stderr");
    sub->add_option("--threads", context.threads, "threads (default: GLIA_NUM_THREADS, else the cores granted)")
        ->check(positive());
    sub->add_option("--isa", context.isa, "instruction set: scalar, avx2, avx512, neon");
    runs[c.name] = c.add(*sub, context);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);
    std::string command;
    for (CLI::App* s : app.get_subcommands()) command = s->get_name();
    const std::string hint = command.empty() ? " `glia --help` lists the commands."
                                             : fmt::format(" `glia {} --help` describes it.", command);
    return fail(context, command, e.what() + std::string(". ") + hint.substr(1), 1);
  }
  const std::string command = app.get_subcommands().front()->get_name();
  try {
    apply(context);
    runs[command]();
    return 0;
  } catch (const Failed& f) {
    return f.status;
  } catch (const UsageError& e) {
    return fail(context, command, e.what(), 1);
  } catch (const std::bad_alloc&) {
    return fail(context, command, "out of memory.", 2);
  } catch (const std::exception& e) {
    return fail(context, command, e.what(), 2);
  }
}

}  // namespace
}  // namespace glia::cli

int main(int argc, char** argv) { return glia::cli::run(argc, argv); }
