// Reading the text attributes of a trace, without trusting them.
//
// Only scalar fixed-length strings of bounded size are read; anything else counts as absent.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "emulator/trace/hdf5_handle.hpp"

namespace fabricast::hdf5 {

// Throws CheckError: the file is a trace, but damaged or not format 1.
[[noreturn]] void damaged(const std::string& where, const std::string& what);

bool is_fixed_text(hid_t type);
// Absent also when it is no fixed-length text. Throws CheckError when it cannot be read.
std::optional<std::string> find_text(hid_t object, const char* name, const std::string& where);
std::map<std::string, std::string> root_attributes(hid_t file);

}  // namespace fabricast::hdf5
