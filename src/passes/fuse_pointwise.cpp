// Chains and trees of pointwise nodes with one output shape become one `fused` node, run tile by tile. A group may have
// several outputs and any number of users; it must be convex: nothing outside lies on a path between two members.
// Scalar constants become immediates and broadcast_to inputs are read unbroadcast.
#include <algorithm>
#include <functional>
#include <map>

#include "base/error.h"
#include "ir/lazy.h"
#include "ops/pointwise.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

namespace glia::passes {
using namespace ir;

namespace {

constexpr int kMaxGroup = 40;        // nodes; stays within the machine's registers
constexpr int kSearchLimit = 2000;   // nodes visited by one convexity check

class PointwiseFuser {
 public:
  explicit PointwiseFuser(Graph& g) : g_(g), users_(users_of(g)), group_of_(g.nodes.size(), -1), chooses_(g.nodes.size(), false) {
    const auto readers = readers_of(g);
    for (int id = 0; id < static_cast<int>(g.nodes.size()); ++id)
      if (is_whole_select(g, id)) chooses_[id] = !only_for(g, readers, id, 1).empty() || !only_for(g, readers, id, 2).empty();
  }

  void run() {
    for (int id = 0; id < static_cast<int>(g_.nodes.size()); ++id)
      if (eligible(id)) place(id);
    break_cycles();
    rebuild();
  }

 private:
  struct Group { std::vector<int> members; Shape shape; int inputs = 0; };

  bool eligible(int id) const {
    const Node& n = g_.nodes[id];
    return n.op->traits.pointwise && n.types.size() == 1 && !n.inputs.empty() && !chooses_[id];  // a choice stays one: the plan skips the other branch
  }

  void place(int id) {
    const Node& n = g_.nodes[id];
    int best = -1;
    for (Ref r : n.inputs) {
      int group = group_of_[r.node];
      if (group < 0 || group == best || !may_join(group, id)) continue;
      if (best < 0) best = group;
      else if (may_merge(best, group, id)) merge(best, group);
    }
    if (best < 0) {
      best = static_cast<int>(groups_.size());
      groups_.push_back({{}, n.types[0].shape, 0});
    }
    groups_[best].members.push_back(id);
    groups_[best].inputs += static_cast<int>(n.inputs.size());
    group_of_[id] = best;
  }

  bool may_join(int group, int id) const {
    const Group& gr = groups_[group];
    if (gr.shape != g_.nodes[id].types[0].shape || static_cast<int>(gr.members.size()) >= kMaxGroup || gr.inputs > 60) return false;
    return !reaches_through_outside(id, {group});
  }
  bool may_merge(int a, int b, int id) const {
    const Group &x = groups_[a], &y = groups_[b];
    if (x.shape != y.shape || static_cast<int>(x.members.size() + y.members.size()) >= kMaxGroup || x.inputs + y.inputs > 60) return false;
    std::vector<int> both{a, b};
    if (reaches_through_outside(id, both)) return false;
    for (int g : both)
      for (int m : groups_[g].members)
        if (reaches_through_outside(m, both)) return false;
    return true;
  }
  void merge(int into, int from) {
    Group &x = groups_[into], &y = groups_[from];
    for (int m : y.members) group_of_[m] = into;
    x.members.insert(x.members.end(), y.members.begin(), y.members.end());
    std::sort(x.members.begin(), x.members.end());
    x.inputs += y.inputs;
    y.members.clear();
  }

  // Is there a path from a member of the groups to `id` that leaves the groups on the way? Other groups are stepped
  // through as wholes, because they will become single nodes.
  bool reaches_through_outside(int id, const std::vector<int>& groups) const {
    auto inside = [&](int node) { return group_of_[node] >= 0 && std::find(groups.begin(), groups.end(), group_of_[node]) != groups.end(); };
    int lowest = id;
    for (int g : groups)
      for (int m : groups_[g].members) lowest = std::min(lowest, m);
    std::vector<int> stack;
    std::map<int, bool> seen;
    // A node below every member cannot lead to one, unless its group has grown beyond (break_cycles sees the rest).
    auto too_low = [&](int node) { return (group_of_[node] >= 0 ? groups_[group_of_[node]].members.back() : node) < lowest; };
    auto push_inputs = [&](int node) {
      for (Ref r : g_.nodes[node].inputs)
        if (!too_low(r.node) && !seen[r.node]) seen[r.node] = true, stack.push_back(r.node);
    };
    for (Ref r : g_.nodes[id].inputs)
      if (!inside(r.node) && !too_low(r.node) && !seen[r.node]) seen[r.node] = true, stack.push_back(r.node);
    int visited = 0;
    while (!stack.empty()) {
      int node = stack.back();
      stack.pop_back();
      if (++visited > kSearchLimit) return true;
      int group = group_of_[node];
      std::vector<int> whole = group >= 0 ? groups_[group].members : std::vector<int>{node};
      for (int m : whole) {
        for (Ref r : g_.nodes[m].inputs)
          if (inside(r.node)) return true;
        push_inputs(m);
      }
    }
    return false;
  }

  // The search above stops early, so two groups may still wait for each other: such groups are taken apart.
  void break_cycles() {
    while (true) {
      const int n = static_cast<int>(g_.nodes.size());
      auto unit = [&](int id) { return group_of_[id] >= 0 ? n + group_of_[id] : id; };
      std::vector<std::vector<int>> readers(n + groups_.size());
      std::vector<int> waits(n + groups_.size(), 0), ready;
      for (int id = 0; id < n; ++id)
        for (Ref r : g_.nodes[id].inputs)
          if (unit(r.node) != unit(id)) readers[unit(r.node)].push_back(unit(id)), ++waits[unit(id)];
      for (int u = 0; u < static_cast<int>(waits.size()); ++u)
        if (waits[u] == 0) ready.push_back(u);
      for (size_t i = 0; i < ready.size(); ++i)
        for (int u : readers[ready[i]])
          if (--waits[u] == 0) ready.push_back(u);
      int largest = -1;
      for (int g = 0; g < static_cast<int>(groups_.size()); ++g)
        if (waits[n + g] > 0 && groups_[g].members.size() > 1 && (largest < 0 || groups_[g].members.size() > groups_[largest].members.size())) largest = g;
      if (largest < 0) return;
      for (int m : groups_[largest].members) group_of_[m] = -1;
      groups_[largest].members.clear();
    }
  }

  void rebuild() {
    Rewriter rw(g_);
    done_.assign(g_.nodes.size(), false);
    for (int id = 0; id < rw.size(); ++id) emit(rw, id);
    rw.finish();
  }

  // Emits a node (or the whole group it is in) after everything it reads. An explicit stack keeps deep graphs safe.
  void emit(Rewriter& rw, int root) {
    std::vector<int> stack{root};
    while (!stack.empty()) {
      int id = stack.back();
      if (done_[id]) {
        stack.pop_back();
        continue;
      }
      std::vector<int> members = group_of_[id] >= 0 ? groups_[group_of_[id]].members : std::vector<int>{id};
      size_t before = stack.size();
      for (int m : members)
        for (Ref r : g_.nodes[m].inputs)
          if (!done_[r.node] && std::find(members.begin(), members.end(), r.node) == members.end()) stack.push_back(r.node);
      if (stack.size() > before) continue;
      stack.pop_back();
      if (members.size() == 1 && !worth_rewriting(id)) rw.copy(id);
      else emit_fused(rw, members);
      for (int m : members) done_[m] = true;
    }
  }

  // A single pointwise node still profits when a broadcast or an immediate can be read directly.
  bool worth_rewriting(int id) const {
    if (!eligible(id)) return false;
    for (Ref r : g_.nodes[id].inputs) {
      const Node& n = g_.nodes[r.node];
      if (n.op->name == "broadcast_to" || (n.op == &constant_op() && n.constant.size() == 1)) return true;
    }
    return false;
  }

  void emit_fused(Rewriter& rw, const std::vector<int>& members) {
    cpu::PwProgram program;
    Node fused;
    std::map<Ref, int> value;  // old ref -> value in the program
    for (int m : members) {
      const Node& n = g_.nodes[m];
      std::vector<int> args;
      std::vector<TensorType> in;
      for (Ref r : n.inputs) {
        args.push_back(operand(rw, program, fused, value, r));
        in.push_back(g_.type(r));
      }
      value[{m, 0}] = program.append(ops::node_program(*n.op, n.attrs, in), args)[0];
    }
    std::vector<int> produced;
    for (int m : members) {
      bool outside = std::any_of(users_[m].begin(), users_[m].end(), [&](int u) {
        return u < 0 || std::find(members.begin(), members.end(), u) == members.end(); });
      if (!outside) continue;
      program.output(value[{m, 0}]);
      fused.types.push_back(g_.nodes[m].types[0]);
      produced.push_back(m);
    }
    if (!cpu::PwKernel::fits(program)) {  // beyond the machine: leave the nodes as they are
      for (int m : members) rw.copy(m);
      return;
    }
    fused.op = &ops::fused_op();
    fused.attrs = {{"program", ops::encode_program(program)}, {"shape", g_.nodes[members[0]].types[0].shape}};
    fused.scope = g_.nodes[members.back()].scope;
    int node = rw.add(std::move(fused)).node;
    for (size_t i = 0; i < produced.size(); ++i) rw.replace(produced[i], {{node, static_cast<int>(i)}});
  }

  int operand(Rewriter& rw, cpu::PwProgram& program, Node& fused, std::map<Ref, int>& value, Ref r) {
    if (auto it = value.find(r); it != value.end()) return it->second;
    const Node& n = g_.nodes[r.node];
    int v;
    if (n.op == &constant_op() && n.constant.size() == 1) {
      cpu::Elem type = ops::elem(n.types[0].dtype);
      if (is_float(n.types[0].dtype)) v = program.constant(type, n.constant.item(0));
      else v = program.constant_int(type, n.constant.astype(DType::i64).data<int64_t>()[0]);
    } else {
      v = program.input(ops::elem(n.types[r.output].dtype));
      fused.inputs.push_back(rw.mapped(n.op->name == "broadcast_to" ? n.inputs[0] : r));
    }
    value[r] = v;
    return v;
  }

  Graph& g_;
  std::vector<std::vector<int>> users_;
  std::vector<int> group_of_;
  std::vector<bool> chooses_;  // selects between branches that are worth skipping
  std::vector<Group> groups_;
  std::vector<bool> done_;
};

}  // namespace

void fuse_pointwise(Graph& g, const PassContext&) { PointwiseFuser(g).run(); }

}  // namespace glia::passes
