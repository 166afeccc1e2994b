// The hash functions of TensorFlow's string ops.
#pragma once
#include <cstdint>
#include <string_view>

namespace glia::nn {

uint64_t farm_fingerprint64(std::string_view s);                       // FarmHash (Pike and Alakuijala), Fingerprint64
uint64_t sip_hash(std::string_view s, uint64_t key0, uint64_t key1);   // SipHash-2-4 (Aumasson and Bernstein 2012)
uint64_t fingerprint_cat(uint64_t a, uint64_t b);                      // joins two fingerprints

}  // namespace glia::nn
