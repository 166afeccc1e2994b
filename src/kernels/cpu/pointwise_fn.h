// How the pointwise machine finds the function of an instruction: one lookup per instruction at plan time.
//
//   PwFn f = GLIA_ISA_SELECT(pw_function_f32)(PwOp::add, 0b10);   // b is a scalar (stride 0)
#pragma once
#include "kernels/cpu/isa.h"
#include "kernels/cpu/pointwise_types.h"

namespace glia::cpu {

// Bit i of uniform: operand i is one element that stays in place. A mask of all operands is not found (nullptr): such
// instructions run once with n = 1 and mask 0. For select the type in the name is that of b and c.
GLIA_ISA_DECLARE(PwFn, pw_function_f32, (PwOp, int uniform))
GLIA_ISA_DECLARE(PwFn, pw_function_f64, (PwOp, int uniform))
GLIA_ISA_DECLARE(PwFn, pw_function_i32, (PwOp, int uniform))
GLIA_ISA_DECLARE(PwFn, pw_function_i64, (PwOp, int uniform))
GLIA_ISA_DECLARE(PwFn, pw_function_u8, (PwOp, int uniform))
GLIA_ISA_DECLARE(PwFn, pw_function_i8, (PwOp, int uniform))
GLIA_ISA_DECLARE(PwFn, pw_function_bool, (PwOp, int uniform))
// Conversion (or copy, from == to). A uniform source fills. Halves convert to and from f32 only; bf16 -> bf16 and
// f16 -> f16 are copies. Float to integer: toward zero, saturating, NaN gives 0.
GLIA_ISA_DECLARE(PwFn, pw_cast_function, (Elem from, Elem to, bool uniform))
// Rounds f32 to the values of a half type, staying f32.
GLIA_ISA_DECLARE(PwFn, pw_round_function, (Elem half, bool uniform))

// Types that few programs hold are compiled for one instruction set: int16 whole, uint16, uint32 and uint64 where the sign
// shows (elsewhere the loops of the signed type serve), and casts from and to them.
PwFn pw_function_rare(PwOp, Elem, int uniform);
PwFn pw_cast_rare(Elem from, Elem to, bool uniform);
// float32 to and from the types that are only stored (one of the two is float32), and rounding to their values.
PwFn pw_narrow_cast(Elem from, Elem to, bool uniform);
PwFn pw_narrow_round(Elem, bool uniform);

}  // namespace glia::cpu
