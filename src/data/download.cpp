#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <mutex>

#include "data/locate.h"
#include "data/sha256.h"

#ifdef GLIA_HAVE_CURL
#include <curl/curl.h>
#include <unistd.h>
#endif

namespace glia::data {
namespace fs = std::filesystem;

#ifndef GLIA_HAVE_CURL
std::string download(const std::string&, const fs::path&, const std::string&) {
  return "Glia was built without libcurl";
}
#else

static size_t append(char* data, size_t size, size_t n, void* out) {
  auto* text = static_cast<std::string*>(out);
  if (text->size() + size * n > (size_t{1} << 30)) return 0;  // no dataset here is that large: stop
  text->append(data, size * n);
  return size * n;
}

static std::string fetch(const std::string& url, std::string& body) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) return "libcurl cannot start";
  char reason[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https,file");
  curl_easy_setopt(curl.get(), CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#endif
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, 15L);
  curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_LIMIT, 1000L);  // give up after 30 s below 1 kB/s
  curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_TIME, 30L);
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "glia");
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
  CURLcode rc = curl_easy_perform(curl.get());
  if (rc == CURLE_OK) return "";
  return reason[0] ? reason : curl_easy_strerror(rc);
}

std::string download(const std::string& url, const fs::path& to, const std::string& sha256) {
  std::string body;
  if (std::string problem = fetch(url, body); !problem.empty()) return problem;
  if (std::string got = sha256_hex(body.data(), body.size()); got != sha256) {
    return fmt::format("the content has SHA-256 {}, expected {}; it was thrown away", got, sha256);
  }
  // Renaming is atomic, so that two processes may fetch the same file at once.
  fs::path part = to;
  part += fmt::format(".{}.part", getpid());
  std::ofstream out(part, std::ios::binary);
  out.write(body.data(), static_cast<std::streamsize>(body.size()));
  out.close();
  std::error_code ec;
  if (out) fs::rename(part, to, ec);
  if (out && !ec) return "";
  std::error_code ignored;
  fs::remove(part, ignored);
  return fmt::format("{} cannot be written{}", to.string(), ec ? ": " + ec.message() : "");
}
#endif

}  // namespace glia::data
