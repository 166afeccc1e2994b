#include "plan/plan.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "base/error.h"
#include "ir/lazy.h"
#include "plan/arena.h"
#include "plan/select.h"

namespace glia::plan {
using namespace ir;

namespace {

struct Buffer {
  size_t bytes = 0;
  Slot slot;                  // fixed place, or Place::arena with an offset set at the end
  int first = -1, last = -1;  // steps that write first and touch last
  int alive_until = -1;       // last node that reads any value kept here
};

struct CopyParams { size_t bytes; };
void run_copy(const KernelArgs& a) { std::memcpy(a.out[0], a.in[0], a.param<CopyParams>().bytes); }

class Planner {
 public:
  Planner(const Graph& g, std::vector<bool> fixed)
      : g_(g), buffer_of_(g.nodes.size()), last_use_(g.nodes.size()), fixed_node_(g.nodes.size()) {
    plan_.fixed = std::move(fixed);
    plan_.fixed.resize(g.inputs.size());
    for (auto [in, out] : g.updates) plan_.fixed[in] = false;
  }

  Plan run() {
    find_last_uses();
    describe_interface();
    find_guards();
    for (int id = 0; id < static_cast<int>(g_.nodes.size()); ++id) place_node(id);
    copy_outputs();
    assign_offsets();
    return std::move(plan_);
  }

 private:
  int root_buffer(Ref r) const { return buffer_of_[r.node].empty() ? -1 : buffer_of_[r.node][r.output]; }

  void find_last_uses() {
    for (int id = 0; id < static_cast<int>(g_.nodes.size()); ++id) {
      last_use_[id].assign(g_.nodes[id].types.size(), id);
      used_.push_back(std::vector<bool>(g_.nodes[id].types.size(), false));
    }
    for (int id = static_cast<int>(g_.nodes.size()) - 1; id >= 0; --id)
      for (Ref r : g_.nodes[id].inputs) {
        used_[r.node][r.output] = true;
        // A view keeps its source alive as long as itself.
        int until = g_.nodes[id].op->traits.view ? std::max(id, last_use_[id][0]) : id;
        last_use_[r.node][r.output] = std::max(last_use_[r.node][r.output], until);
      }
    for (Ref r : g_.outputs) {
      used_[r.node][r.output] = true;
      keep_to_end(r);
    }
  }
  // What one branch of a select alone needs waits for the condition. Later selects come first: theirs decide about earlier ones.
  void find_guards() {
    const auto readers = readers_of(g_);
    for (int id = static_cast<int>(g_.nodes.size()) - 1; id >= 0; --id) {
      if (!is_whole_select(g_, id)) continue;
      const Ref condition = g_.nodes[id].inputs[0];
      for (int branch : {1, 2})
        for (int node : only_for(g_, readers, id, branch))
          if (node > condition.node) guards_[node].push_back({condition, branch == 1});
    }
  }
  void keep_to_end(Ref r) {
    last_use_[r.node][r.output] = static_cast<int>(g_.nodes.size());
    if (g_.nodes[r.node].op->traits.view) keep_to_end(g_.nodes[r.node].inputs[0]);
  }

  void describe_interface() {
    for (int id : g_.inputs) plan_.input_types.push_back(g_.nodes[id].types[0]);
    plan_.update_of_output.assign(g_.outputs.size(), -1);
    for (auto [in, out] : g_.updates) plan_.update_of_output[out] = in;
    // Outputs whose producer may write straight to their final place.
    for (int o = 0; o < static_cast<int>(g_.outputs.size()); ++o) {
      Ref r = g_.outputs[o];
      plan_.output_types.push_back(g_.type(r));
      const Node& n = g_.nodes[r.node];
      bool computed = !n.op->traits.view && n.op != &input_op() && n.op != &constant_op();
      if (computed && !direct_.count(r) && may_write_directly(o, r)) direct_[r] = o;
    }
  }
  // An update may overwrite its input when every reader of the old value has run before, or is the writer itself and
  // reads element i before it writes element i.
  bool may_write_directly(int output, Ref r) {
    int in = plan_.update_of_output[output];
    if (in < 0) return true;
    int input_node = g_.inputs[in];
    int last = last_use_[input_node][0];
    if (last > r.node) return false;
    if (last < r.node) return true;
    for (size_t i = 0; i < g_.nodes[r.node].inputs.size(); ++i) {
      Ref x = g_.nodes[r.node].inputs[i];
      if (reads(x, input_node) && !in_place_allowed(r.node, static_cast<int>(i), r.output)) return false;
    }
    return true;
  }
  bool reads(Ref x, int input_node) const {
    while (g_.nodes[x.node].op->traits.view) x = g_.nodes[x.node].inputs[0];
    return x.node == input_node;
  }

  bool in_place_allowed(int id, int input, int output) const {
    const Node& n = g_.nodes[id];
    const TensorType &in = g_.type(n.inputs[input]), &out = n.types[output];
    if (n.op->traits.pointwise) return in.shape == out.shape && dtype_size(in.dtype) == dtype_size(out.dtype);
    for (auto [i, o] : n.op->traits.in_place)
      if (i == input && o == output) return in.bytes() == out.bytes();
    return false;
  }

  int new_buffer(size_t bytes, Slot slot = {Place::arena, 0}) {
    buffers_.push_back({bytes, slot, -1, -1, -1});
    return static_cast<int>(buffers_.size()) - 1;
  }
  void touch(int buffer) {
    int step = static_cast<int>(plan_.steps.size());
    Buffer& b = buffers_[buffer];
    if (b.first < 0) b.first = step;
    b.last = std::max(b.last, step);
  }

  void place_node(int id) {
    const Node& n = g_.nodes[id];
    auto& mine = buffer_of_[id];
    if (n.op == &input_op()) {
      int index = static_cast<int>(std::find(g_.inputs.begin(), g_.inputs.end(), id) - g_.inputs.begin());
      mine = {new_buffer(n.types[0].bytes(), {Place::input, index})};
      fixed_node_[id] = plan_.fixed[index];
    } else if (n.op == &constant_op()) {
      plan_.constants.push_back(n.constant);
      mine = {new_buffer(n.types[0].bytes(), {Place::constant, static_cast<int64_t>(plan_.constants.size()) - 1})};
      fixed_node_[id] = true;
    } else if (n.op->traits.view) {
      mine = {root_buffer(n.inputs[0])};
      fixed_node_[id] = fixed_node_[n.inputs[0].node];
    } else {
      place_step(id);
    }
    for (size_t o = 0; o < mine.size(); ++o)
      if (mine[o] >= 0) buffers_[mine[o]].alive_until = std::max(buffers_[mine[o]].alive_until, last_use_[id][o]);
  }

  void place_step(int id) {
    const Node& n = g_.nodes[id];
    std::vector<bool> in_fixed;
    for (Ref r : n.inputs) in_fixed.push_back(fixed_node_[r.node]);
    const bool fixed = fixed_node_[id] = depends_on_fixed_alone(id);
    const auto guards = fixed ? guards_.end() : guards_.find(id);
    // A step that runs once keeps nothing, nor does one that may be skipped the first time.
    if (fixed || guards != guards_.end()) in_fixed.assign(in_fixed.size(), false);
    Selection chosen = select_kernel(g_, id, used_[id], in_fixed);
    Step step;
    step.fn = chosen.kernel.fn;
    step.params = chosen.kernel.params;
    step.op = n.op->name;
    step.kernel = chosen.name;
    step.scope = n.scope;
    step.fixed = fixed;
    for (auto& t : n.types) step.note += (step.note.empty() ? "" : ", ") + to_string(t);
    for (Ref r : n.inputs) {
      int b = root_buffer(r);
      touch(b);
      step.in.push_back({Place::arena, b});  // buffer index until assign_offsets
    }
    if (guards != guards_.end())
      for (auto [condition, expected] : guards->second) step.guards.push_back({{Place::arena, root_buffer(condition)}, expected});
    auto& mine = buffer_of_[id];
    for (int o = 0; o < static_cast<int>(n.types.size()); ++o) {
      int b = used_[id][o] ? output_buffer(id, o) : -1;
      mine.push_back(b);
      if (b >= 0) touch(b);
      step.out.push_back(b < 0 ? Slot{} : Slot{Place::arena, b});
    }
    if (chosen.kernel.workspace) {
      int w = chosen.kernel.keep ? new_kept(chosen.kernel.workspace) : new_buffer(chosen.kernel.workspace);
      touch(w);
      step.work = {Place::arena, w};
    }
    plan_.steps.push_back(std::move(step));
  }

  // Something must be derived from a weight: constants alone are folded before, and outputs are written in every run.
  bool depends_on_fixed_alone(int id) const {
    const Node& n = g_.nodes[id];
    if (n.inputs.empty() || n.op->traits.random) return false;
    for (Ref r : n.inputs)
      if (!fixed_node_[r.node]) return false;
    for (int o = 0; o < static_cast<int>(n.types.size()); ++o)
      if (direct_.count({id, o})) return false;
    return true;
  }
  int new_kept(size_t bytes) {
    const auto at = static_cast<int64_t>(plan_.kept_bytes);
    plan_.kept_bytes += (bytes + 63) / 64 * 64;
    return new_buffer(bytes, {Place::kept, at});
  }

  int output_buffer(int id, int o) {
    const Node& n = g_.nodes[id];
    if (fixed_node_[id]) return new_kept(n.types[o].bytes());
    if (auto it = direct_.find({id, o}); it != direct_.end()) {
      int in = plan_.update_of_output[it->second];
      return in >= 0 ? buffer_of_[g_.inputs[in]][0] : new_buffer(n.types[o].bytes(), {Place::output, it->second});
    }
    for (int i = 0; i < static_cast<int>(n.inputs.size()); ++i) {
      int b = root_buffer(n.inputs[i]);
      if (buffers_[b].slot.place != Place::arena || buffers_[b].bytes < n.types[o].bytes()) continue;
      if (!in_place_allowed(id, i, o) || !dies_at(b, id) || taken(id, b)) continue;
      bool read_elsewhere = false;  // the same buffer as another input that may not alias
      for (int j = 0; j < static_cast<int>(n.inputs.size()); ++j)
        read_elsewhere |= j != i && root_buffer(n.inputs[j]) == b && !in_place_allowed(id, j, o);
      if (!read_elsewhere) return b;
    }
    return new_buffer(n.types[o].bytes());
  }
  bool taken(int id, int b) const {
    auto& mine = buffer_of_[id];
    return std::find(mine.begin(), mine.end(), b) != mine.end();
  }
  // Does nothing read this buffer (through any node or view that shares it) after node id?
  bool dies_at(int b, int id) const { return buffers_[b].alive_until <= id; }

  void add_copy(int from, int to, const TensorType& type) {
    Step step;
    step.fn = run_copy;
    step.params = kernel_params(CopyParams{type.bytes()});
    step.op = step.kernel = "copy";
    step.note = to_string(type);
    touch(from);
    touch(to);
    step.in.push_back({Place::arena, from});
    step.out.push_back({Place::arena, to});
    plan_.steps.push_back(std::move(step));
  }

  // Outputs that could not be written in place. A source that is itself the target of an update is saved first.
  void copy_outputs() {
    struct Copy { int from, to; TensorType type; };
    std::vector<Copy> copies;
    for (int o = 0; o < static_cast<int>(g_.outputs.size()); ++o) {
      Ref r = g_.outputs[o];
      if (auto it = direct_.find(r); it != direct_.end() && it->second == o) continue;
      int in = plan_.update_of_output[o];
      int from = root_buffer(r), to = in >= 0 ? buffer_of_[g_.inputs[in]][0] : new_buffer(g_.type(r).bytes(), {Place::output, o});
      if (from != to) copies.push_back({from, to, g_.type(r)});
    }
    for (Copy& c : copies) {
      bool overwritten = std::any_of(copies.begin(), copies.end(), [&](const Copy& other) { return other.to == c.from; });
      if (!overwritten) continue;
      int saved = new_buffer(c.type.bytes());
      add_copy(c.from, saved, c.type);
      c.from = saved;
    }
    for (const Copy& c : copies) add_copy(c.from, c.to, c.type);
  }

  void assign_offsets() {
    std::vector<Interval> intervals;
    std::vector<int> owner;
    for (int b = 0; b < static_cast<int>(buffers_.size()); ++b) {
      if (buffers_[b].slot.place != Place::arena || buffers_[b].first < 0) continue;
      intervals.push_back({buffers_[b].bytes, buffers_[b].first, buffers_[b].last, 0});
      owner.push_back(b);
      plan_.unshared_bytes += buffers_[b].bytes;
    }
    plan_.arena_bytes = pack(intervals);
    for (size_t i = 0; i < intervals.size(); ++i) buffers_[owner[i]].slot.at = static_cast<int64_t>(intervals[i].offset);
    auto resolve = [&](Slot& s) {
      if (s.place == Place::arena) s = buffers_[s.at].slot;
    };
    for (Step& s : plan_.steps) {
      for (Slot& x : s.in) resolve(x);
      for (Slot& x : s.out) resolve(x);
      for (Guard& x : s.guards) resolve(x.condition);
      resolve(s.work);
    }
  }

  const Graph& g_;
  Plan plan_;
  std::vector<Buffer> buffers_;
  std::vector<std::vector<int>> buffer_of_;   // per node output
  std::vector<std::vector<int>> last_use_;    // per node output: last node that reads it
  std::vector<std::vector<bool>> used_;
  std::vector<bool> fixed_node_;              // derived from fixed inputs and constants alone
  std::map<int, std::vector<std::pair<Ref, bool>>> guards_;  // node -> conditions and what they must be
  std::map<Ref, int> direct_;                 // value -> output position it is written to directly
};

}  // namespace

Plan make_plan(const Graph& g, std::vector<bool> fixed) { return Planner(g, std::move(fixed)).run(); }

std::string print(const Plan& p) {
  auto slot = [](const Slot& s) {
    static const char* names[] = {"-", "arena+", "in", "out", "const", "kept+"};
    return s.place == Place::none ? std::string("-") : fmt::format("{}{}", names[static_cast<int>(s.place)], s.at);
  };
  std::string r = fmt::format("plan: {} steps, arena {} bytes ({} without sharing), {} kept\n", p.steps.size(), p.arena_bytes,
                              p.unshared_bytes, p.kept_bytes);
  for (const Step& s : p.steps) {
    r += fmt::format("  {}{} [{}] (", s.fixed ? "fixed " : "", s.op, s.kernel);
    for (size_t i = 0; i < s.in.size(); ++i) r += (i ? ", " : "") + slot(s.in[i]);
    r += ") -> (";
    for (size_t i = 0; i < s.out.size(); ++i) r += (i ? ", " : "") + slot(s.out[i]);
    r += ")";
    for (const Guard& x : s.guards) r += fmt::format(" {} {}", x.expected ? "if" : "unless", slot(x.condition));
    r += fmt::format(" {}{}{}\n", s.note, s.scope.empty() ? "" : " @", s.scope);
  }
  return r;
}

}  // namespace glia::plan
