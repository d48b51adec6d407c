#include "tests/ptx_device/decode.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace fabricast::ptx {
namespace {

using Words = std::vector<std::string>;

const std::map<std::string, Type> types{
    {"u8", Type::u8},       {"u16", Type::u16},        {"u32", Type::u32},      {"u64", Type::u64},
    {"b8", Type::u8},       {"b16", Type::u16},        {"b32", Type::u32},      {"b64", Type::u64},
    {"s8", Type::s8},       {"s16", Type::s16},        {"s32", Type::s32},      {"s64", Type::s64},
    {"f16", Type::f16},     {"bf16", Type::bf16},      {"f32", Type::f32},      {"f64", Type::f64},
    {"f16x2", Type::f16x2}, {"pred", Type::predicate}, {"bf16x2", Type::bf16x2}};
const std::map<std::string, Compare> compares{
    {"eq", Compare::eq}, {"ne", Compare::ne}, {"lt", Compare::lt}, {"lo", Compare::lt},
    {"le", Compare::le}, {"ls", Compare::le}, {"gt", Compare::gt}, {"hi", Compare::gt},
    {"ge", Compare::ge}, {"hs", Compare::ge}};
const std::map<std::string, Space> spaces{{"global", Space::global},
                                          {"shared", Space::shared},
                                          {"local", Space::local},
                                          {"param", Space::parameter}};
const std::map<std::string, Op> plain{
    {"add", Op::add},         {"sub", Op::sub},       {"div", Op::divide},
    {"rem", Op::remainder},   {"min", Op::minimum},   {"max", Op::maximum},
    {"neg", Op::negate},      {"not", Op::invert},    {"and", Op::conjunction},
    {"or", Op::disjunction},  {"xor", Op::exclusive}, {"shl", Op::shift_left},
    {"shr", Op::shift_right}, {"fma", Op::fused},     {"setp", Op::set_predicate},
    {"selp", Op::select},     {"cvt", Op::convert},   {"bfi", Op::insert_bits},
    {"prmt", Op::permute},    {"ld", Op::load},       {"ldu", Op::load},
    {"st", Op::store},        {"atom", Op::atomic},   {"red", Op::atomic},
    {"bra", Op::branch},      {"ret", Op::exit},      {"exit", Op::exit}};

// "ld.volatile.global.v4.u32" as its parts.
Words parts_of(const std::string& mnemonic) {
  Words parts;
  for (std::size_t at = 0; at <= mnemonic.size();) {
    const std::size_t end = std::min(mnemonic.find('.', at), mnemonic.size());
    parts.push_back(mnemonic.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

class Decoder {
 public:
  Decoder(const std::string& statement, Names& names)
      : words_(words_of(statement)), names_(names) {}

  Instruction decode(std::string& label) {
    if (words_.at(at_) == "@") read_guard();
    const std::string mnemonic = words_.at(at_++);
    const Words parts = parts_of(mnemonic);
    name_ = parts[0];
    read_operation(parts, mnemonic);
    for (std::size_t p = 1; p < parts.size(); ++p) read_modifier(parts[p], mnemonic);
    if (in_.order == Order::relaxed || in_.order == Order::acquire) in_.past_l1 = true;
    read_operands(label);
    if (at_ != words_.size()) unknown("the end of this statement");
    refuse_more_meaning(mnemonic, parts);
    return in_;
  }

 private:
  void read_guard() {
    ++at_;
    in_.guard_inverted = words_.at(at_) == "!";
    if (in_.guard_inverted) ++at_;
    in_.guard = names_.slot(words_.at(at_++));
  }

  void read_operation(const Words& parts, const std::string& mnemonic) {
    const std::string& name = parts[0];
    const std::string second = parts.size() > 1 ? parts[1] : "";
    if (const auto found = plain.find(name); found != plain.end()) {
      in_.op = found->second;
    } else if (name == "mul" || name == "mad") {
      in_.op = name == "mad"      ? Op::mad_low
               : second == "hi"   ? Op::mul_high
               : second == "wide" ? Op::mul_wide
                                  : Op::mul_low;
      if (name == "mad" && second != "lo") unknown(mnemonic);
    } else if (name == "mov" || name == "cvta") {
      in_.op = Op::move;
      if (name == "cvta" && second != "to" && second != "global") unknown_or_local(parts);
      if (name == "cvta" && second == "to" && parts.at(2) != "global") unknown_or_local(parts);
    } else if (name == "multimem") {
      in_.op = second == "st"    ? Op::multicast_store
               : second == "red" ? Op::multicast_reduce
                                 : Op::load_reduce;
    } else if (name == "membar" || name == "fence") {
      in_.op = second == "proxy" ? Op::proxy_fence : Op::fence;
      in_.order = Order::acquire_release;
    } else if (name == "vote") {
      in_.op = parts.at(2) == "all" ? Op::vote_all : Op::vote_any;
      if (parts.at(2) != "all" && parts.at(2) != "any") unknown(mnemonic);
    } else if (name == "bar" && second == "warp") {
      in_.op = Op::meet_warp;
    } else if (name == "bar" || name == "barrier") {
      in_.op = second == "sync"       ? Op::barrier
               : parts.at(2) == "and" ? Op::barrier_all
                                      : Op::barrier_any;
      if (in_.op == Op::barrier_any && parts.at(2) != "or") unknown(mnemonic);
      const bool aligned =
          name == "bar" || std::find(parts.begin(), parts.end(), "aligned") != parts.end();
      if (!aligned) unknown(mnemonic + ", which is not aligned");
    } else {
      unknown(mnemonic);
    }
  }

  // Windows are added and taken off by Op::add on a constant.
  void unknown_or_local(const Words& parts) {
    const bool to = parts[1] == "to";
    const std::string& space = to ? parts.at(2) : parts[1];
    if (space != "local" && space != "shared") unknown("cvta of space " + space);
    const std::uint64_t window = space == "local" ? local_window : shared_window;
    in_.op = Op::add;
    window_ = names_.constant(to ? 0 - window : window);
  }

  void read_modifier(const std::string& word, const std::string& mnemonic) {
    if (const auto type = types.find(word); type != types.end()) return add_type(type->second);
    if (const auto space = spaces.find(word); space != spaces.end()) {
      in_.space = space->second;
    } else if (const auto compare = compares.find(word);
               in_.op == Op::set_predicate && compare != compares.end()) {
      in_.compare = compare->second;
    } else if (word == "v2" || word == "v4") {
      in_.width = word == "v2" ? 2 : 4;
    } else if (word == "cg") {
      in_.past_l1 = true;
    } else if (!read_order(word) && !read_combine(word) && !is_implied(word)) {
      unknown("." + word + " of " + mnemonic);
    }
  }

  // Words that say no more than the operation does already, as it is executed.
  bool is_implied(const std::string& word) const {
    static const std::map<std::string, Words> implied{
        {"mul", {"lo", "hi", "wide", "rn"}},
        {"mad", {"lo"}},
        {"cvta", {"to"}},
        {"add", {"rn"}},
        {"sub", {"rn"}},
        {"div", {"rn"}},
        {"fma", {"rn"}},
        {"cvt", {"rn", "rzi"}},
        {"bra", {"uni"}},
        {"ld", {"nc", "ca"}},
        {"bar", {"sync", "warp", "red", "and", "or"}},
        {"barrier", {"sync", "red", "and", "or", "aligned"}},
        {"vote", {"sync", "all", "any"}},
        {"fence", {"proxy", "alias"}},
        {"multimem", {"st", "red", "ld_reduce", "acc::f32"}}};
    const auto words = implied.find(name_);
    return words != implied.end() &&
           std::find(words->second.begin(), words->second.end(), word) != words->second.end();
  }

  // A comparison combined with a third predicate, a conversion that rounds as none here does.
  void refuse_more_meaning(const std::string& mnemonic, const Words& parts) const {
    if (in_.op == Op::set_predicate && in_.of[2] != no_slot) unknown(mnemonic + " of three values");
    if (in_.op != Op::convert) return;
    const auto is_half = [](Type type) { return type == Type::f16 || type == Type::bf16; };
    if (is_half(in_.type) && in_.from != Type::f32) unknown(mnemonic);
    if (is_half(in_.from) && in_.type != Type::f32) unknown(mnemonic);
    const bool to_float = is_half(in_.type) || in_.type == Type::f32 || in_.type == Type::f64;
    const bool truncates = std::find(parts.begin(), parts.end(), "rzi") != parts.end();
    if (truncates && to_float) unknown(mnemonic);
  }

  bool read_order(const std::string& word) {
    if (word == "volatile" || word == "relaxed")
      in_.order = Order::relaxed;
    else if (word == "acquire")
      in_.order = Order::acquire;
    else if (word == "release")
      in_.order = Order::release;
    else if (word == "acq_rel" || word == "sc")
      in_.order = Order::acquire_release;
    else if (word == "weak")
      in_.order = Order::weak;
    else if (word == "cta")
      in_.scope = Scope::cta;
    else if (word == "gpu" || word == "gl")
      in_.scope = Scope::gpu;
    else if (word == "sys")
      in_.scope = Scope::system;
    else
      return false;
    if (word == "volatile") in_.scope = Scope::system;
    return true;
  }

  bool read_combine(const std::string& word) {
    if (word == "add")
      in_.combine = Combine::add;
    else if (word == "min")
      in_.combine = Combine::minimum;
    else if (word == "max")
      in_.combine = Combine::maximum;
    else if (word == "exch")
      in_.combine = Combine::swap;
    else if (word == "cas")
      in_.combine = Combine::compare_swap;
    else
      return false;
    return true;
  }

  void add_type(Type type) {
    if (!typed_) in_.type = in_.from = type;
    in_.from = type;
    typed_ = true;
  }

  void expect(const char* word) {
    if (at_ >= words_.size() || words_[at_] != word)
      unknown(std::string("a statement without ") + word);
    ++at_;
  }
  void read_slots(Slot (&slots)[4]) {
    if (words_.at(at_) != "{") {
      slots[0] = names_.slot(words_.at(at_++));
      return;
    }
    ++at_;
    for (int k = 0;; ++k) {
      if (k == 4) unknown("a vector of more than 4");
      slots[k] = names_.slot(words_.at(at_++));
      if (words_.at(at_++) == "}") return;
    }
  }
  void read_address() {
    expect("[");
    in_.address = names_.slot(words_.at(at_++));
    if (words_.at(at_) == "+") {
      in_.offset = std::strtoll(words_.at(at_ + 1).c_str(), nullptr, 0);
      at_ += 2;
    }
    expect("]");
  }

  void read_operands(std::string& label) {
    switch (in_.op) {
      case Op::branch:
        label = words_.at(at_++);
        return;
      case Op::exit:
      case Op::fence:
      case Op::proxy_fence:
        return;
      case Op::load:
      case Op::load_reduce:
        read_slots(in_.to);
        expect(",");
        return read_address();
      case Op::store:
      case Op::multicast_store:
      case Op::multicast_reduce:
        read_address();
        expect(",");
        return read_slots(in_.of);
      case Op::atomic:
        return read_atomic();
      case Op::barrier:
        return read_barrier();
      case Op::meet_warp:
        in_.of[1] = names_.slot(words_.at(at_++));  // the mask, as of votes
        return;
      default:
        return read_values();
    }
  }
  void read_atomic() {
    if (words_.at(at_) != "[") {
      read_slots(in_.to);
      expect(",");
    }
    read_address();
    for (int k = 0; at_ < words_.size(); ++k) {
      expect(",");
      in_.of[k] = names_.slot(words_.at(at_++));
    }
  }
  void read_barrier() {
    if (words_.at(at_++) != "0" || at_ != words_.size()) unknown("barriers other than 0");
  }
  void read_values() {
    if (at_ < words_.size() && words_[at_] == "{") {
      read_slots(in_.to);
      in_.op = Op::unpack;
    } else {
      in_.to[0] = names_.slot(words_.at(at_++));
    }
    expect(",");
    if (words_.at(at_) == "{") {
      in_.op = Op::pack;
      return read_slots(in_.of);
    }
    if (words_.at(at_) == "%globaltimer") {
      in_.op = Op::clock;
      ++at_;
      return;
    }
    if (in_.op == Op::barrier_all || in_.op == Op::barrier_any) {
      if (words_.at(at_++) != "0") unknown("barriers other than 0");
      expect(",");
    }
    for (int k = 0;; ++k) {
      in_.of[k] = names_.slot(words_.at(at_++));
      if (at_ == words_.size()) break;
      expect(",");
    }
    if (window_ != no_slot) in_.of[1] = window_;
  }

  Words words_;
  Names& names_;
  std::string name_;  // of the operation
  Instruction in_;
  std::size_t at_ = 0;
  bool typed_ = false;
  Slot window_ = no_slot;
};

}  // namespace

Instruction decode(const std::string& statement, Names& names, std::string& label) {
  return Decoder(statement, names).decode(label);
}

}  // namespace fabricast::ptx
