#include <glia/image.h>
#include <glia/onnx.h>
#include <glia/saving.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "cli/glia/command.h"

namespace glia::cli {

namespace {

// name, whether this build has it
std::vector<std::pair<const char*, bool>> parts() {
  return {{"hdf5", GLIA_HAVE_HDF5 != 0},
          {"onnx", onnx::available()},
          {"images", utils::images_available()},
          {"curl", GLIA_HAVE_CURL != 0}};
}

void info(const Context& c) {
  json components;
  std::string text = fmt::format("glia {}\ncompiler        {} {}\ninstruction set {} (best here: {})\n", GLIA_VERSION,
                                 GLIA_COMPILER_NAME, __VERSION__, isa_name(current_isa()), isa_name(best_isa()));
  text += fmt::format("avx512          bf16 {}, vnni {}\nthreads         {} ({} cores granted)\n",
                      cpu_has_avx512_bf16() ? "yes" : "no", cpu_has_avx512_vnni() ? "yes" : "no", num_threads(),
                      usable_cores());
  text += "parts          ";
  for (auto& [name, there] : parts()) {
    components[name] = there;
    text += fmt::format(" {}{}", there ? "" : "no ", name);
    if (name != parts().back().first) text += ",";
  }
  const std::vector<std::string> read = models::loadable_formats(), write = models::savable_formats();
  text += fmt::format("\nreads           {}\nwrites          {}\n", fmt::join(read, " "), fmt::join(write, " "));
  c.print({{"version", GLIA_VERSION},
           {"compiler", std::string(GLIA_COMPILER_NAME) + " " + __VERSION__},
           {"isa", isa_name(current_isa())},
           {"best_isa", isa_name(best_isa())},
           {"avx512_bf16", cpu_has_avx512_bf16()},
           {"avx512_vnni", cpu_has_avx512_vnni()},
           {"threads", num_threads()},
           {"cores", usable_cores()},
           {"components", components},
           {"reads", read},
           {"writes", write}},
          text);
}
}  // namespace

Run add_info(CLI::App&, Context& c) {
  return [&c] { info(c); };
}

}  // namespace glia::cli
