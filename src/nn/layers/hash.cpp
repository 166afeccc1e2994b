#include "nn/layers/hash.h"

#include <cstring>
#include <utility>

namespace glia::nn {
namespace {

constexpr uint64_t k0 = 0xc3a5c85c97cb3127u, k1 = 0xb492b66fbe98f273u, k2 = 0x9ae16a3b2f90404fu;

uint64_t fetch64(const char* p) {
  uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}
uint64_t fetch32(const char* p) {
  uint32_t v;
  std::memcpy(&v, p, 4);
  return v;
}
uint64_t rotr(uint64_t v, int n) { return (v >> n) | (v << (64 - n)); }
uint64_t rotl(uint64_t v, int n) { return (v << n) | (v >> (64 - n)); }
uint64_t shift_mix(uint64_t v) { return v ^ (v >> 47); }

uint64_t mix16(uint64_t u, uint64_t v, uint64_t mul) {
  uint64_t a = shift_mix((u ^ v) * mul), b = shift_mix((v ^ a) * mul);
  return b * mul;
}

uint64_t up_to_16(const char* s, uint64_t n) {
  const uint64_t mul = k2 + n * 2;
  if (n >= 8) {
    const uint64_t a = fetch64(s) + k2, b = fetch64(s + n - 8);
    return mix16(rotr(b, 37) * mul + a, (rotr(a, 25) + b) * mul, mul);
  }
  if (n >= 4) return mix16(n + (fetch32(s) << 3), fetch32(s + n - 4), mul);
  if (n == 0) return k2;
  const auto byte = [&](uint64_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(s[i])); };
  const uint32_t y = byte(0) + (byte(n >> 1) << 8), z = static_cast<uint32_t>(n) + (byte(n - 1) << 2);
  return shift_mix(y * k2 ^ z * k0) * k2;
}

uint64_t up_to_32(const char* s, uint64_t n) {
  const uint64_t mul = k2 + n * 2, a = fetch64(s) * k1, b = fetch64(s + 8), c = fetch64(s + n - 8) * mul, d = fetch64(s + n - 16) * k2;
  return mix16(rotr(a + b, 43) + rotr(c, 30) + d, a + rotr(b + k2, 18) + c, mul);
}

uint64_t up_to_64(const char* s, uint64_t n) {
  const uint64_t mul = k2 + n * 2, a = fetch64(s) * k2, b = fetch64(s + 8), c = fetch64(s + n - 8) * mul, d = fetch64(s + n - 16) * k2;
  const uint64_t y = rotr(a + b, 43) + rotr(c, 30) + d, z = mix16(y, a + rotr(b + k2, 18) + c, mul);
  const uint64_t e = fetch64(s + 16) * mul, f = fetch64(s + 24), g = (y + fetch64(s + n - 32)) * mul, h = (z + fetch64(s + n - 24)) * mul;
  return mix16(rotr(e + f, 43) + rotr(g, 30) + h, e + rotr(f + a, 18) + g, mul);
}

using Pair = std::pair<uint64_t, uint64_t>;
Pair weak32(const char* s, uint64_t a, uint64_t b) {
  const uint64_t w = fetch64(s), x = fetch64(s + 8), y = fetch64(s + 16), z = fetch64(s + 24);
  a += w;
  b = rotr(b + a + z, 21);
  const uint64_t c = a;
  a += x + y;
  b += rotr(a, 44);
  return {a + z, b + c};
}

uint64_t longer(const char* s, uint64_t n) {
  uint64_t x = 81, y = 81 * k1 + 113, z = shift_mix(y * k2 + 113) * k2;
  Pair v{0, 0}, w{0, 0};
  x = x * k2 + fetch64(s);
  const char *end = s + (n - 1) / 64 * 64, *last = end + ((n - 1) & 63) - 63;
  do {
    x = rotr(x + y + v.first + fetch64(s + 8), 37) * k1;
    y = rotr(y + v.second + fetch64(s + 48), 42) * k1;
    x ^= w.second;
    y += v.first + fetch64(s + 40);
    z = rotr(z + w.first, 33) * k1;
    v = weak32(s, v.second * k1, x + w.first);
    w = weak32(s + 32, z + w.second, y + fetch64(s + 16));
    std::swap(z, x);
    s += 64;
  } while (s != end);
  const uint64_t mul = k1 + ((z & 0xff) << 1);
  s = last;
  w.first += (n - 1) & 63;
  v.first += w.first;
  w.first += v.first;
  x = rotr(x + y + v.first + fetch64(s + 8), 37) * mul;
  y = rotr(y + v.second + fetch64(s + 48), 42) * mul;
  x ^= w.second * 9;
  y += v.first * 9 + fetch64(s + 40);
  z = rotr(z + w.first, 33) * mul;
  v = weak32(s, v.second * mul, x + w.first);
  w = weak32(s + 32, z + w.second, y + fetch64(s + 16));
  std::swap(z, x);
  return mix16(mix16(v.first, w.first, mul) + shift_mix(y) * k0 + z, mix16(v.second, w.second, mul) + x, mul);
}

}  // namespace

uint64_t farm_fingerprint64(std::string_view s) {
  const uint64_t n = s.size();
  if (n <= 16) return up_to_16(s.data(), n);
  if (n <= 32) return up_to_32(s.data(), n);
  return n <= 64 ? up_to_64(s.data(), n) : longer(s.data(), n);
}

uint64_t sip_hash(std::string_view s, uint64_t key0, uint64_t key1) {
  uint64_t v0 = key0 ^ 0x736f6d6570736575u, v1 = key1 ^ 0x646f72616e646f6du, v2 = key0 ^ 0x6c7967656e657261u, v3 = key1 ^ 0x7465646279746573u;
  auto round = [&] {
    v0 += v1, v1 = rotl(v1, 13) ^ v0, v0 = rotl(v0, 32);
    v2 += v3, v3 = rotl(v3, 16) ^ v2;
    v0 += v3, v3 = rotl(v3, 21) ^ v0;
    v2 += v1, v1 = rotl(v1, 17) ^ v2, v2 = rotl(v2, 32);
  };
  auto word = [&](uint64_t m) {
    v3 ^= m;
    round(), round();
    v0 ^= m;
  };
  const size_t whole = s.size() / 8 * 8;
  for (size_t i = 0; i < whole; i += 8) word(fetch64(s.data() + i));
  uint64_t rest = static_cast<uint64_t>(s.size()) << 56;
  for (size_t i = whole; i < s.size(); ++i) rest |= static_cast<uint64_t>(static_cast<unsigned char>(s[i])) << (8 * (i - whole));
  word(rest);
  v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) round();
  return v0 ^ v1 ^ v2 ^ v3;
}

uint64_t fingerprint_cat(uint64_t a, uint64_t b) {
  constexpr uint64_t mul = 0xc6a4a7935bd1e995u;
  uint64_t r = (a ^ mul) ^ shift_mix(b * mul) * mul;
  return shift_mix(shift_mix(r * mul) * mul);
}

}  // namespace glia::nn
