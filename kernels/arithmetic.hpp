// One reduction of two elements, for every (type, operator): what "sum of halves" means.
//
// Half and bfloat16 are combined in binary32 and rounded once per operation. int32 addition wraps.
// min and max return the second argument if the comparison is false (NaN does not occur in our
// data). Host and device; pure functions.
#pragma once

#include "kernels/data_type.hpp"
#include "kernels/float16.hpp"

namespace fabricast {

template <ReduceOp op>
FABRICAST_HOST_DEVICE inline float combine(float a, float b) {
  if constexpr (op == ReduceOp::sum) {
    return a + b;
  } else if constexpr (op == ReduceOp::min) {
    return a < b ? a : b;
  } else {
    return a > b ? a : b;
  }
}

template <ReduceOp op>
FABRICAST_HOST_DEVICE inline Half combine(Half a, Half b) {
  return to_half(combine<op>(to_float(a), to_float(b)));
}

template <ReduceOp op>
FABRICAST_HOST_DEVICE inline BFloat16 combine(BFloat16 a, BFloat16 b) {
  return to_bfloat16(combine<op>(to_float(a), to_float(b)));
}

template <ReduceOp op>
FABRICAST_HOST_DEVICE inline std::int32_t combine(std::int32_t a, std::int32_t b) {
  if constexpr (op == ReduceOp::sum) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
  } else if constexpr (op == ReduceOp::min) {
    return a < b ? a : b;
  } else {
    return a > b ? a : b;
  }
}

// Calls `visit.template operator()<T, op>()` with the element type and operator as constants.
template <class T, class Visitor>
FABRICAST_HOST_DEVICE inline void visit_op(ReduceOp op, const Visitor& visit) {
  switch (op) {
    case ReduceOp::sum:
      visit.template operator()<T, ReduceOp::sum>();
      break;
    case ReduceOp::min:
      visit.template operator()<T, ReduceOp::min>();
      break;
    case ReduceOp::max:
      visit.template operator()<T, ReduceOp::max>();
      break;
  }
}

template <class Visitor>
FABRICAST_HOST_DEVICE inline void visit_type_and_op(DataType type, ReduceOp op,
                                                    const Visitor& visit) {
  switch (type) {
    case DataType::float32:
      visit_op<float>(op, visit);
      break;
    case DataType::float16:
      visit_op<Half>(op, visit);
      break;
    case DataType::bfloat16:
      visit_op<BFloat16>(op, visit);
      break;
    case DataType::int32:
      visit_op<std::int32_t>(op, visit);
      break;
  }
}

}  // namespace fabricast
