// What a select with one condition for all of its result needs only when the condition says so. Such nodes can be skipped (plan), if they
// stay nodes of their own (fusion).
//
//   for (int id : only_for(g, users_of(g), select, 1)) ...   // computed for nothing where the condition is false
#pragma once
#include <vector>

#include "ir/graph.h"

namespace glia::ir {

// For each node, the nodes that read it.
std::vector<std::vector<int>> readers_of(const Graph& g);
bool is_whole_select(const Graph& g, int id);  // select whose condition is a scalar and whose result is not
// The nodes that nothing but operand `input` of the select reads, directly or through each other; empty where that would save nothing
// but elementwise work.
std::vector<int> only_for(const Graph& g, const std::vector<std::vector<int>>& readers, int select, int input);

}  // namespace glia::ir
