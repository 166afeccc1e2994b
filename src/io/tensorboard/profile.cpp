#include "io/tensorboard/profile.h"

#include <unistd.h>
#include <zlib.h>

#include <ctime>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "io/file/atomic_file.h"
#include "io/tensorboard/wire.h"

namespace glia::io {
namespace {

std::string title_of(const runtime::TraceEvent& e) { return e.scope.empty() ? e.op : e.scope + "/" + e.op; }

std::string gzipped(const std::string& text) {
  z_stream z{};
  GLIA_CHECK(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib: no memory to compress a profile.");
  std::string out(deflateBound(&z, text.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  GLIA_CHECK(code == Z_STREAM_END, "zlib: a profile of {} bytes could not be compressed.", text.size());
  return out;
}

}  // namespace

std::string xplane_of(const std::vector<runtime::TraceEvent>& events, const std::string& host) {
  std::map<std::pair<std::string, std::string>, int64_t> names;  // (title, kernel) -> metadata
  std::map<int, Message> lines;
  const int64_t origin = events.empty() ? 0 : events.front().start;
  for (const runtime::TraceEvent& e : events) {
    const int64_t id = names.emplace(std::pair(title_of(e), e.kernel), static_cast<int64_t>(names.size()) + 1).first->second;
    auto [line, fresh] = lines.try_emplace(e.thread);
    if (fresh) {
      line->second.integer(1, e.thread + 1);
      line->second.text(2, fmt::format("thread {}", e.thread));
      line->second.integer(3, origin);
    }
    Message event;
    event.integer(1, id);
    event.integer(2, (e.start - origin) * 1000);  // picoseconds
    event.integer(3, e.ns * 1000);
    line->second.message(4, event);
  }
  Message plane;
  plane.integer(1, 1);
  plane.text(2, "/host:CPU");
  for (auto& [thread, line] : lines) plane.message(3, line);
  for (auto& [name, id] : names) {
    Message metadata, entry;
    metadata.integer(1, id);
    metadata.text(2, name.second.empty() ? name.first : name.first + " [" + name.second + "]");
    metadata.text(4, name.first);
    entry.integer(1, id);
    entry.message(2, metadata);
    plane.message(4, entry);
  }
  Message space;
  space.message(1, plane);
  space.text(4, host);
  return space.bytes();
}

std::string chrome_trace_of(const std::vector<runtime::TraceEvent>& events, const std::string& host) {
  nlohmann::json list = nlohmann::json::array();
  list.push_back({{"ph", "M"}, {"pid", 1}, {"name", "process_name"}, {"args", {{"name", host}}}});
  const int64_t origin = events.empty() ? 0 : events.front().start;
  for (const runtime::TraceEvent& e : events)
    list.push_back({{"ph", "X"},
                    {"pid", 1},
                    {"tid", e.thread},
                    {"name", title_of(e)},
                    {"ts", static_cast<double>(e.start - origin) / 1e3},
                    {"dur", static_cast<double>(e.ns) / 1e3},
                    {"args", {{"op", e.op}, {"kernel", e.kernel}}}});
  const nlohmann::json all = {{"displayTimeUnit", "ns"}, {"traceEvents", std::move(list)}};
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string write_profile(const std::string& log_dir, const std::vector<runtime::TraceEvent>& events) {
  char host[256] = "localhost", when[32];
  if (::gethostname(host, sizeof host - 1) != 0 || !host[0] || std::string_view(host).find('/') != std::string_view::npos)
    std::snprintf(host, sizeof host, "localhost");
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::strftime(when, sizeof when, "%Y_%m_%d_%H_%M_%S", &local);
  const std::string folder = log_dir + "/plugins/profile/" + when;
  std::error_code ec;
  std::filesystem::create_directories(folder, ec);
  GLIA_CHECK(!ec, "{}: the folder cannot be made: {}.", folder, ec.message());
  write_file(folder + "/" + host + ".xplane.pb", xplane_of(events, host));
  write_file(folder + "/" + host + ".trace.json.gz", gzipped(chrome_trace_of(events, host)));
  return folder;
}

}  // namespace glia::io
