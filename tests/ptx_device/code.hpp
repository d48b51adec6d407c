// Decoded PTX: what the parser makes and the warp executes.
//
// Every register is a slot of 64 bits, read and written by an instruction's own type; immediate
// operands are slots of a pool, so that an operand is always a slot's number.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fabricast::ptx {

enum class Op : std::uint8_t {
  add,
  sub,
  mul_low,
  mul_high,
  mul_wide,
  mad_low,
  divide,
  remainder,
  minimum,
  maximum,
  negate,
  invert,
  conjunction,
  disjunction,
  exclusive,
  shift_left,
  shift_right,
  fused,
  set_predicate,
  select,
  move,
  pack,
  unpack,
  convert,
  insert_bits,
  permute,
  clock,
  load,
  store,
  atomic,
  load_reduce,
  multicast_store,
  multicast_reduce,
  fence,
  proxy_fence,
  barrier,
  barrier_all,
  barrier_any,
  vote_all,
  vote_any,
  meet_warp,
  branch,
  exit,
};

enum class Type : std::uint8_t {
  u8,
  u16,
  u32,
  u64,
  s8,
  s16,
  s32,
  s64,
  f16,
  bf16,
  f32,
  f64,
  f16x2,
  bf16x2,
  predicate,
};
inline std::size_t size_of(Type type) {
  switch (type) {
    case Type::u8:
    case Type::s8:
    case Type::predicate:
      return 1;
    case Type::u16:
    case Type::s16:
    case Type::f16:
    case Type::bf16:
      return 2;
    case Type::u64:
    case Type::s64:
    case Type::f64:
      return 8;
    default:
      return 4;
  }
}

enum class Compare : std::uint8_t { eq, ne, lt, le, gt, ge };
enum class Space : std::uint8_t { generic, global, shared, local, parameter };
enum class Order : std::uint8_t { weak, relaxed, acquire, release, acquire_release };
enum class Scope : std::uint8_t { cta, gpu, system };
enum class Combine : std::uint8_t { none, add, minimum, maximum, swap, compare_swap };

using Slot = std::uint32_t;
inline constexpr Slot no_slot = 0xFFFFFFFF;

struct Instruction {
  Op op = Op::exit;
  Type type = Type::u32;
  Type from = Type::u32;  // of a conversion's source
  Compare compare = Compare::eq;
  Space space = Space::generic;
  Order order = Order::weak;
  Scope scope = Scope::gpu;
  Combine combine = Combine::none;
  bool past_l1 = false;  // .cg, and every access that is not weak
  // A plain load, or a relaxed store, unless it is of shared or local memory.
  bool may_be_late = false;
  bool guard_inverted = false;
  std::uint8_t width = 1;  // elements of a vector
  Slot guard = no_slot;
  Slot to[4] = {no_slot, no_slot, no_slot, no_slot};
  Slot of[4] = {no_slot, no_slot, no_slot, no_slot};
  Slot address = no_slot;
  std::int64_t offset = 0;
  std::uint64_t touches = 0;  // bits of the slots in `to`, `of` and `address`, modulo 64
  std::int32_t target = -1;
  std::int32_t line = 0;  // Code::lines
};

// Slots that each thread finds set when it starts.
enum Special : Slot {
  tid_x,
  tid_y,
  tid_z,
  ntid_x,
  ntid_y,
  ntid_z,
  ctaid_x,
  ctaid_y,
  ctaid_z,
  nctaid_x,
  nctaid_y,
  nctaid_z,
  laneid,
  specials
};

class Code {
 public:
  std::vector<Instruction> instructions;
  std::vector<std::string> lines;        // their texts
  std::vector<std::uint64_t> constants;  // slots from `slots` on
  Slot slots = specials;
};

// Windows of the generic address space; in between lies the host's own memory.
inline constexpr std::uint64_t shared_window = std::uint64_t{1} << 56;
inline constexpr std::uint64_t local_window = std::uint64_t{2} << 56;

}  // namespace fabricast::ptx
