// einsum in simpler ops: operands are contracted pairwise from the left, each pair as one (batched) matrix product.
#include <glia/ops.h>
#include <glia/ops/einsum.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "ir/op_def.h"

namespace glia::ops {
namespace {

struct Term {
  Value value;
  std::string letters;  // one per axis
};

struct Equation {
  std::vector<std::string> inputs;
  std::string output;
};

// Splits the equation and replaces "..." by letters of their own (the capital ones after the used, aligned at the right).
Equation parse(const std::string& text, const Values& operands) {
  std::string e;
  for (char c : text)
    if (c != ' ') e += c;
  size_t arrow = e.find("->");
  std::string left = e.substr(0, arrow);
  Equation q;
  for (size_t from = 0; from <= left.size();) {
    size_t comma = std::min(left.find(',', from), left.size());
    q.inputs.push_back(left.substr(from, comma - from));
    from = comma + 1;
  }
  GLIA_CHECK(q.inputs.size() == operands.size(), "einsum: the equation \"{}\" names {} operands. Received {}.", text, q.inputs.size(),
             operands.size());
  std::string spare;
  for (std::string set = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"; char c : set)
    if (e.find(c) == std::string::npos) spare += c;
  size_t widest = 0;
  for (size_t i = 0; i < operands.size(); ++i) {
    std::string& s = q.inputs[i];
    size_t dots = s.find("..."), rank = static_cast<size_t>(operands[i].rank());
    if (dots == std::string::npos) {
      GLIA_CHECK(s.size() == rank, "einsum: \"{}\" has {} letters for operand {}, whose shape is {}.", s, s.size(), i,
                 to_string(operands[i].shape()));
      continue;
    }
    GLIA_CHECK(rank + 3 >= s.size(), "einsum: \"{}\" has more letters than operand {} has axes. Its shape is {}.", s, i,
               to_string(operands[i].shape()));
    size_t hidden = rank + 3 - s.size();
    GLIA_CHECK(hidden <= spare.size(), "einsum: too many axes in \"{}\".", text);
    widest = std::max(widest, hidden);
    std::string names = spare.substr(0, hidden);
    std::reverse(names.begin(), names.end());
    s.replace(dots, 3, names);
  }
  std::string hidden = spare.substr(0, widest);
  std::reverse(hidden.begin(), hidden.end());
  if (arrow != std::string::npos) {
    q.output = e.substr(arrow + 2);
    if (size_t dots = q.output.find("..."); dots != std::string::npos) q.output.replace(dots, 3, hidden);
  } else {  // implicit: the letters that occur once, in alphabetical order, after the hidden axes
    std::map<char, int> count;
    for (const std::string& s : q.inputs)
      for (char c : s) ++count[c];
    q.output = hidden;
    for (auto [c, n] : count)
      if (n == 1 && hidden.find(c) == std::string::npos) q.output += c;
  }
  for (char c : q.output) {
    bool known = std::any_of(q.inputs.begin(), q.inputs.end(), [&](const std::string& s) { return s.find(c) != std::string::npos; });
    GLIA_CHECK(known && std::count(q.output.begin(), q.output.end(), c) == 1,
               "einsum: the output axis '{}' of \"{}\" must occur once and in an operand.", c, text);
  }
  return q;
}

Value permuted(const Value& v, const std::string& from, const std::string& to) {
  std::vector<int64_t> axes;
  bool same = true;
  for (char c : to) {
    axes.push_back(static_cast<int64_t>(from.find(c)));
    same &= axes.back() == static_cast<int64_t>(axes.size()) - 1;
  }
  return same ? v : transpose(v, axes);
}

bool has(const std::string& s, char c) { return s.find(c) != std::string::npos; }

// A letter that occurs twice in one operand: its diagonal.
Term without_repeats(Term t) {
  for (size_t i = 0; i < t.letters.size(); ++i)
    for (size_t j = t.letters.size() - 1; j > i; --j) {
      if (t.letters[i] != t.letters[j]) continue;
      Shape shape = t.value.shape(), mask(shape.size(), 1);
      GLIA_CHECK(shape[i] == shape[j], "einsum: the two axes '{}' of an operand have extents {} and {}.", t.letters[i], shape[i], shape[j]);
      mask[i] = mask[j] = shape[i];
      t.value = sum(t.value * reshape(eye(shape[i], shape[i], 0, t.value.dtype()), mask), {static_cast<int64_t>(j)});
      t.letters.erase(j, 1);
    }
  return t;
}

// Sums over the letters that `needed` lacks.
Term reduced(Term t, const std::string& needed) {
  std::vector<int64_t> axes;
  std::string left;
  for (size_t i = 0; i < t.letters.size(); ++i)
    if (has(needed, t.letters[i])) left += t.letters[i];
    else axes.push_back(static_cast<int64_t>(i));
  if (!axes.empty()) t = {sum(t.value, axes), left};
  return t;
}

int64_t extent(const Term& t, char c) { return t.value.shape()[t.letters.find(c)]; }

// Extents of 1 broadcast against the other operand's.
Term broadcast(const Term& t, const Term& other) {
  Shape shape = t.value.shape();
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!has(other.letters, t.letters[i])) continue;
    int64_t n = extent(other, t.letters[i]);
    GLIA_CHECK(n == shape[i] || n == 1 || shape[i] == 1, "einsum: axis '{}' has extents {} and {}.", t.letters[i], shape[i], n);
    if (shape[i] == 1) shape[i] = n;
  }
  return {broadcast_to(t.value, shape), t.letters};
}

int64_t product(const Term& t, const std::string& letters) {
  int64_t n = 1;
  for (char c : letters) n *= extent(t, c);
  return n;
}

// One matrix product for each element of the axes that both operands share with the result.
Term contract(Term a, Term b, const std::string& needed) {
  std::string batch, inner, free_a, free_b;
  for (char c : a.letters) (has(b.letters, c) ? (has(needed, c) ? batch : inner) : free_a) += c;
  for (char c : b.letters)
    if (!has(a.letters, c)) free_b += c;
  a = broadcast(a, b);
  b = broadcast(b, a);
  Shape shape;
  for (char c : batch + free_a) shape.push_back(extent(a, c));
  for (char c : free_b) shape.push_back(extent(b, c));
  const int64_t m = product(a, free_a), n = product(b, free_b), k = product(a, inner);
  // An operand that already has its axes in the other order is handed over as transposed.
  bool ta = a.letters == batch + inner + free_a && !inner.empty() && !free_a.empty();
  bool tb = b.letters == batch + free_b + inner && !inner.empty() && !free_b.empty();
  Shape sa{m, k}, sb{k, n};
  if (ta) std::swap(sa[0], sa[1]);
  if (tb) std::swap(sb[0], sb[1]);
  if (!batch.empty()) {
    const int64_t count = product(a, batch);
    sa.insert(sa.begin(), count);
    sb.insert(sb.begin(), count);
  }
  Value x = ta ? a.value : permuted(a.value, a.letters, batch + free_a + inner);
  Value y = tb ? b.value : permuted(b.value, b.letters, batch + inner + free_b);
  return {reshape(cast(matmul(reshape(x, sa), reshape(y, sb), ta, tb), x.dtype()), shape), batch + free_a + free_b};
}

}  // namespace

Value einsum(const std::string& equation, const Values& operands) {
  GLIA_CHECK(!operands.empty(), "einsum: \"{}\" needs operands.", equation);
  DType t = operands[0].dtype();
  for (const Value& v : operands) t = result_type(t, v.dtype());
  if (t == DType::i8) t = DType::i32;  // as Keras
  Equation q = parse(equation, operands);
  auto needed_after = [&](size_t i) {
    std::string s = q.output;
    for (size_t k = i; k < q.inputs.size(); ++k) s += q.inputs[k];
    return s;
  };
  Term sum;
  for (size_t i = 0; i < operands.size(); ++i) {
    std::string later = needed_after(i + 1);
    Term term = without_repeats({cast(operands[i], t), q.inputs[i]});
    if (i == 0) {
      sum = reduced(term, later);
      continue;
    }
    sum = contract(sum, reduced(term, later + sum.letters), later);
  }
  sum = reduced(sum, q.output);
  return permuted(sum.value, sum.letters, q.output);
}

}  // namespace glia::ops
