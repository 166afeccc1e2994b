// One kernel source, every instruction set. A file x.isa.cpp is compiled once per set with GLIA_ISA_NS = scalar, avx2,
// avx512 or neon and puts everything it defines into namespace glia::cpu::GLIA_ISA_NS:
//
//   // softmax.h
//   GLIA_ISA_DECLARE(void, softmax_f32, (const SoftmaxArgs&))   // declares it in every namespace
//   // softmax.isa.cpp
//   namespace glia::cpu::GLIA_ISA_NS { void softmax_f32(const SoftmaxArgs& a) { ... } }
//   // ops/softmax.cpp, at plan time
//   auto fn = GLIA_ISA_SELECT(softmax_f32);   // pointer for current_isa()
//
// Rule for x.isa.cpp: helpers are static or in GLIA_ISA_NS. Include no header with inline functions that could be
// emitted (std containers, fmt): the linker would keep one copy for all sets and run AVX-512 code on an AVX2 machine.
#pragma once
#include "base/cpu.h"

#if defined(__x86_64__)
#define GLIA_ISA_DECLARE(ret, name, args) \
  namespace scalar { ret name args; }     \
  namespace avx2 { ret name args; }       \
  namespace avx512 { ret name args; }
#define GLIA_ISA_SELECT(name)                                            \
  (::glia::current_isa() == ::glia::Isa::avx512 ? &::glia::cpu::avx512::name \
   : ::glia::current_isa() == ::glia::Isa::avx2 ? &::glia::cpu::avx2::name   \
                                                : &::glia::cpu::scalar::name)
#elif defined(__aarch64__)
#define GLIA_ISA_DECLARE(ret, name, args) \
  namespace scalar { ret name args; }     \
  namespace neon { ret name args; }
#define GLIA_ISA_SELECT(name) \
  (::glia::current_isa() == ::glia::Isa::neon ? &::glia::cpu::neon::name : &::glia::cpu::scalar::name)
#else
#define GLIA_ISA_DECLARE(ret, name, args) \
  namespace scalar { ret name args; }
#define GLIA_ISA_SELECT(name) (&::glia::cpu::scalar::name)
#endif
