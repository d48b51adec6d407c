#include "kernels/data_type.hpp"

#include <array>
#include <utility>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"

namespace fabricast {
namespace {

using TypeName = std::pair<std::string_view, DataType>;
// The first name of each type is the one printed.
constexpr std::array<TypeName, 11> type_names{{{"float", DataType::float32},
                                               {"half", DataType::float16},
                                               {"bfloat16", DataType::bfloat16},
                                               {"int32", DataType::int32},
                                               {"float32", DataType::float32},
                                               {"float16", DataType::float16},
                                               {"f32", DataType::float32},
                                               {"f16", DataType::float16},
                                               {"bf16", DataType::bfloat16},
                                               {"i32", DataType::int32},
                                               {"int", DataType::int32}}};
using OpName = std::pair<std::string_view, ReduceOp>;
constexpr std::array<OpName, 3> op_names{
    {{"sum", ReduceOp::sum}, {"min", ReduceOp::min}, {"max", ReduceOp::max}}};

template <class Table>
auto find_by_name(const Table& table, std::string_view what, std::string_view name) {
  std::vector<std::string> known;
  for (const auto& [text, value] : table) {
    if (text == name) return value;
    known.emplace_back(text);
  }
  throw UsageError(unknown_name_message(what, name, known));
}

template <class Table, class Value>
std::string_view find_by_value(const Table& table, Value wanted) {
  for (const auto& [text, value] : table) {
    if (value == wanted) return text;
  }
  return "?";
}

}  // namespace

std::string_view to_string(DataType type) { return find_by_value(type_names, type); }
std::string_view to_string(ReduceOp op) { return find_by_value(op_names, op); }
DataType data_type_from_name(std::string_view name) {
  return find_by_name(type_names, "data type", name);
}
ReduceOp reduce_op_from_name(std::string_view name) {
  return find_by_name(op_names, "reduction", name);
}

std::int32_t size_of(DataType type) {
  return type == DataType::float16 || type == DataType::bfloat16 ? 2 : 4;
}

}  // namespace fabricast
