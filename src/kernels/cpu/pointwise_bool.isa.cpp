#include "kernels/cpu/pointwise_loops.h"

namespace glia::cpu::GLIA_ISA_NS {

// bool is u8 holding 0 or 1: the u8 loops serve, except where all eight bits would show.
PwFn pw_function_bool(PwOp op, int u) {
  switch (op) {
    case PwOp::logical_and: return pw_pick<uint8_t, Pw_logical_and>(u);
    case PwOp::logical_or: return pw_pick<uint8_t, Pw_logical_or>(u);
    case PwOp::logical_xor: return pw_pick<uint8_t, Pw_logical_xor>(u);
    case PwOp::logical_not:
    case PwOp::bitwise_not: return pw_pick<uint8_t, Pw_logical_not>(u);
    case PwOp::bitwise_and: return pw_pick<uint8_t, Pw_bitwise_and>(u);
    case PwOp::bitwise_or: return pw_pick<uint8_t, Pw_bitwise_or>(u);
    case PwOp::bitwise_xor: return pw_pick<uint8_t, Pw_bitwise_xor>(u);
    case PwOp::maximum: return pw_pick<uint8_t, Pw_maximum>(u);
    case PwOp::minimum: return pw_pick<uint8_t, Pw_minimum>(u);
    case PwOp::eq: return pw_pick<uint8_t, Pw_eq>(u);
    case PwOp::ne: return pw_pick<uint8_t, Pw_ne>(u);
    case PwOp::lt: return pw_pick<uint8_t, Pw_lt>(u);
    case PwOp::le: return pw_pick<uint8_t, Pw_le>(u);
    case PwOp::gt: return pw_pick<uint8_t, Pw_gt>(u);
    case PwOp::ge: return pw_pick<uint8_t, Pw_ge>(u);
    case PwOp::select: return pw_pick_select<uint8_t>(u);
    default: return nullptr;
  }
}

}  // namespace glia::cpu::GLIA_ISA_NS
