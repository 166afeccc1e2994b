// Every integer dtype does what int32 does, and the dtypes that are only stored are moved and cast without loss: both
// derived from the samples, so that an op that grows is covered by itself.
#include <glia/ops.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "ir/graph.h"
#include "kernels/cpu/pointwise.h"
#include "ops/pointwise.h"
#include "support/op_samples.h"

using namespace glia;
using namespace glia::testing;

GLIA_SAMPLES(integer) {
  for (int i = static_cast<int>(cpu::PwOp::cast) + 1; i < static_cast<int>(cpu::PwOp::count_); ++i) {
    const cpu::PwOpInfo& info = cpu::pw_info(static_cast<cpu::PwOp>(i));
    if (info.domain != cpu::PwDomain::num && info.domain != cpu::PwDomain::all) continue;
    std::vector<Tensor> in;
    for (int k = 0; k < info.arity; ++k)
      in.push_back(integers(k == 1 ? Shape{33} : Shape{5, 33}, 1, 5, DType::i32, static_cast<uint64_t>(k + 1)));
    if (static_cast<cpu::PwOp>(i) == cpu::PwOp::select) in[0] = bools({5, 33});
    list.add(info.name, {}, in);
  }
  const Tensor x = integers({4, 6}, 0, 50);
  for (const char* op : {"reduce_sum", "reduce_prod", "reduce_max", "reduce_min"})
    for (int64_t axis : {0, 1})
      list.add(op, {{"axes", ir::Ints{axis}}}, {op == std::string("reduce_prod") ? integers({4, 3}, 1, 3) : x});
  for (const char* op : {"argmax", "argmin", "argsort", "cumsum"})
    for (int64_t axis : {0, 1}) list.add(op, {{"axis", axis}}, {x});
  list.add("cumprod", {{"axis", int64_t{1}}}, {integers({4, 5}, 1, 2)});
  list.add("top_k", {{"k", int64_t{3}}}, {x});
  list.add("concatenate", {{"axis", int64_t{1}}}, {x, integers({4, 2}, 0, 9)});
  list.add("transpose", {{"axes", ir::Ints{1, 0}}}, {x});
  list.add("take", {{"axis", int64_t{0}}}, {x, integers({5}, 0, 3, DType::i64)});
  list.add("take_along_axis", {{"axis", int64_t{1}}}, {x, integers({4, 2}, 0, 5, DType::i64)});
  list.add("searchsorted", {}, {Tensor::from({5}, {1, 3, 3, 9, 40}, DType::i32), x});
  list.add("matmul", {}, {integers({3, 4}, 0, 4), integers({4, 5}, 0, 4, DType::i32, 2)});
  // Integers, which have the same bits in every run of the suite.
  list.add("bitcast", {{"dtype", std::string("uint32")}}, {integers({5, 7}, -9, 9)});
  list.add("bitcast", {{"dtype", std::string("uint8")}}, {integers({5, 7}, -9, 9)});
  list.add("bitcast", {{"dtype", std::string("int64")}}, {integers({5, 4}, -9, 9)});
  list.refuse("bitcast", {{"dtype", std::string("int64")}}, {{DType::i32, {3}}},
              "view: the last axis of int32 (3,) does not hold whole elements of int64.");
  for (const char* to : {"int16", "uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2", "int4", "uint4"})
    list.add("cast", {{"dtype", std::string(to)}}, {integers({5, 7}, 0, 7)});
}

namespace {

constexpr DType kIntegers[] = {DType::i64, DType::i16, DType::u16, DType::u32, DType::u64, DType::u8, DType::i8};

std::vector<Tensor> run(const OpSample& s, const std::vector<Tensor>& in) {
  std::vector<Tensor> out;
  for (const Value& v : ir::apply(ir::find_op(s.op), s.attrs, Values(in.begin(), in.end())))
    out.push_back(v.tensor());
  return out;
}
bool accepts(const OpSample& s, const std::vector<Tensor>& in) {
  std::vector<TensorType> types;
  for (const Tensor& t : in) types.push_back({t.dtype(), t.shape()});
  const ir::OpDef& op = ir::find_op(s.op);
  try {
    op.infer({op, ir::normalized(op, s.attrs), types});
    return true;
  } catch (const Error&) {
    return false;
  }
}
// The int32 inputs (or only the first) as `to`.
std::vector<Tensor> with(const std::vector<Tensor>& in, DType from, DType to, bool only_first) {
  std::vector<Tensor> r = in;
  for (size_t i = 0; i < r.size(); ++i)
    if (r[i].dtype() == from && (i == 0 || !only_first)) r[i] = r[i].astype(to);
  return r;
}
bool fits(const Tensor& t, DType type) {
  for (int64_t i = 0; i < t.size(); ++i)
    if (Tensor::scalar(t.item(i), type).item() != t.item(i)) return false;
  return true;
}

TEST(Dtypes, IntegersOfEveryWidthDoWhatInt32Does) {
  std::set<std::string> compared;
  for (const OpSample& s : all_samples().good) {
    bool any = false;
    for (const Tensor& t : s.inputs) any |= t.dtype() == DType::i32;
    if (!any || s.op == "fused" || s.attrs.find("dtype")) continue;
    // Indices are int32 or int64 and stay so; what holds for int64 in the place of data must hold for all.
    bool only_first = false;
    if (!accepts(s, with(s.inputs, DType::i32, DType::i64, false))) {
      if (s.inputs[0].dtype() != DType::i32 || !accepts(s, with(s.inputs, DType::i32, DType::i64, true))) continue;
      only_first = true;
    }
    const std::vector<Tensor> want = run(s, s.inputs);
    for (DType type : kIntegers) {
      SCOPED_TRACE(s.op + s.attrs.to_string() + " " + std::string(dtype_name(type)));
      std::vector<Tensor> in = with(s.inputs, DType::i32, type, only_first);
      if (!accepts(s, in) && s.op.rfind("take", 0) != 0 && accepts(s, with(s.inputs, DType::i32, type, true)) &&
          s.inputs.size() > 1)
        in = with(s.inputs, DType::i32, type, true);  // the second operand is an index
      bool in_range = true;
      for (const Tensor& t : s.inputs) in_range &= t.dtype() != DType::i32 || fits(t, type);
      for (const Tensor& t : want) in_range &= t.dtype() != DType::i32 || fits(t, type);
      if (!in_range) continue;
      if (!accepts(s, in)) {
        EXPECT_TRUE(s.op == "take" || s.op == "take_along_axis" || s.op == "segment_sum" || s.op == "cross_entropy" ||
                    s.op == "segment_reduce")
            << "is refused";
        continue;
      }
      const std::vector<Tensor> got = run(s, in);
      for (size_t o = 0; o < want.size(); ++o) {
        ASSERT_EQ(got[o].shape(), want[o].shape());
        for (int64_t i = 0; i < want[o].size(); ++i) ASSERT_EQ(got[o].item(i), want[o].item(i)) << "element " << i;
      }
      compared.insert(s.op);
    }
  }
  for (const char* op : {"add",          "floor_div",  "shift_right",     "bitwise_xor", "lt",
                         "select",       "reduce_max", "argmin",          "argsort",     "concatenate",
                         "transpose",    "take",       "take_along_axis", "cumsum",      "matmul",
                         "searchsorted", "gcd",        "top_k",           "clip",        "pow"})
    EXPECT_TRUE(compared.count(op)) << op;
}

TEST(Dtypes, LargeUnsignedNumbersKeepTheirOrderAndBits) {
  const uint64_t big = uint64_t{1} << 63;
  const Value a = Tensor::from_vector<uint64_t>({4}, {big + 5, 7, 0, ~uint64_t{0}}),
              b = Tensor::from_vector<uint64_t>({4}, {3, big, 1, 2});
  const auto u64 = [](const Value& v, int64_t i) { return v.tensor().data<uint64_t>()[i]; };
  EXPECT_EQ(u64(ops::maximum(a, b), 0), big + 5);
  EXPECT_EQ(u64(ops::maximum(a, b), 1), big);
  EXPECT_EQ(u64(ops::add(a, b), 3), 1u);  // wraps
  EXPECT_EQ(u64(ops::right_shift(a, b), 0), (big + 5) >> 3);
  EXPECT_EQ(u64(ops::floor_divide(a, b), 3), ~uint64_t{0} / 2);
  EXPECT_EQ(u64(ops::mod(a, b), 0), (big + 5) % 3);
  EXPECT_EQ(ops::greater(a, b).tensor().to_vector(), (std::vector<float>{1, 0, 0, 1}));
  EXPECT_EQ(u64(ops::max(a), 0), ~uint64_t{0});
  EXPECT_EQ(ops::argmax(a).tensor().item(), 3);
  EXPECT_EQ(u64(ops::cast(ops::cast(a, DType::i64), DType::u64), 0), big + 5);
  EXPECT_EQ(ops::cast(a, DType::f64).tensor().item(0), 9223372036854775808.0);
  EXPECT_EQ(u64(ops::cast(Value(Tensor::from({3}, {1.8e19, -4, 3e19}, DType::f64)), DType::u64), 0),
            18000000000000000000u);
  EXPECT_EQ(ops::cast(Value(Tensor::from({2}, {-3, 70000}, DType::f32)), DType::u16).tensor().to_vector(),
            (std::vector<float>{0, 65535}));
}

// Numbers of Keras 3.15.1: keras.backend.result_type of every pair. Same-dtype uint64 is the one difference: Keras
// has uint32 there.
TEST(Dtypes, PromotionIsThatOfKeras) {
  using enum DType;
  constexpr DType order[] = {i32, i64, u8, i8, bool_, i16, u16, u32, u64};
  constexpr DType keras[9][9] = {
      {i32, i64, i32, i32, i32, i32, i32, i64, f32}, {i64, i64, i64, i64, i64, i64, i64, i64, f32},
      {i32, i64, u8, i16, u8, i16, u16, u32, u32},   {i32, i64, i16, i8, i8, i16, i32, i64, f32},
      {i32, i64, u8, i8, bool_, i16, u16, u32, u32}, {i32, i64, i16, i16, i16, i16, i32, i64, f32},
      {i32, i64, u16, i32, u16, i32, u16, u32, u32}, {i64, i64, u32, i64, u32, i64, u32, u32, u32},
      {f32, f32, u32, f32, u32, f32, u32, u32, u64}};
  for (int a = 0; a < 9; ++a)
    for (int b = 0; b < 9; ++b)
      EXPECT_EQ(ops::result_type(order[a], order[b]), keras[a][b])
          << dtype_name(order[a]) << " " << dtype_name(order[b]);
  for (DType t : order)
    for (DType f : {f32, f64, bf16, f16}) EXPECT_EQ(ops::result_type(t, f), f);
  EXPECT_THROW(ops::result_type(f8e4m3fn, f32), Error);
}

// A dtype that is only stored: whatever moves elements gives what it gives for float32 holding the same numbers.
TEST(Dtypes, StoredOnlyTypesAreMovedAndCast) {
  std::set<std::string> moved;
  for (const OpSample& s : all_samples().good) {
    const ir::OpDef& op = ir::find_op(s.op);
    if (!(op.traits.moves || op.traits.view) || s.inputs.empty() || s.inputs[0].dtype() != DType::f32 ||
        s.attrs.find("dtype"))
      continue;
    for (int d = static_cast<int>(DType::f8e4m3fn); d <= static_cast<int>(DType::u2); ++d) {
      const auto type = static_cast<DType>(d);
      SCOPED_TRACE(s.op + s.attrs.to_string() + " " + std::string(dtype_name(type)));
      const std::vector<Tensor> narrow = with(s.inputs, DType::f32, type, false);
      const std::vector<Tensor> got = run(s, narrow), want = run(s, with(narrow, type, DType::f32, false));
      for (size_t o = 0; o < want.size(); ++o) EXPECT_TRUE(got[o].equals(want[o].astype(got[o].dtype())));
      moved.insert(s.op);
    }
  }
  for (const char* name :
       {"reshape", "transpose", "concatenate", "slice", "pad", "broadcast_to", "take", "take_along_axis"})
    EXPECT_TRUE(moved.count(name)) << name;
  const Value x = Tensor::zeros({2}, DType::f8e4m3fn);
  EXPECT_THROW(ops::sum(x), Error);
  EXPECT_THROW(ops::add(x, x), Error);
  EXPECT_EQ(ops::exp(x).dtype(), DType::f32);
}

}  // namespace
