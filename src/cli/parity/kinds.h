// One function per kind of parity line; each lives in kind_<name>.cpp and is listed in kinds.cpp.
//
//   Check check;
//   run_line(line, check);    // throws Unsupported when the class or function does not exist, Error when it fails
#pragma once
#include <string_view>
#include <vector>

#include "cli/parity/check.h"

namespace glia::parity {

using KindFn = void (*)(const json& line, Check& check);
struct Kind {
  std::string_view name;
  KindFn run;
};
const std::vector<Kind>& kinds();
void run_activation(const json& line, Check& check);
void run_constraint(const json& line, Check& check);
void run_fit(const json& line, Check& check);
void run_initializer(const json& line, Check& check);
void run_layer(const json& line, Check& check);
void run_loss(const json& line, Check& check);
void run_metric(const json& line, Check& check);
void run_op(const json& line, Check& check);
void run_optimizer(const json& line, Check& check);
void run_regularizer(const json& line, Check& check);
void run_schedule(const json& line, Check& check);
void run_summary(const json& line, Check& check);
void run_util(const json& line, Check& check);

void run_line(const json& line, Check& check);  // by line["kind"]

}  // namespace glia::parity
