#include "emulator/trace/hdf5_attributes.hpp"

#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/trace/format.hpp"

namespace fabricast::hdf5 {
namespace {

std::string read_fixed_text(hid_t attribute, hid_t type, const std::string& where) {
  const std::size_t size = H5Tget_size(type);
  if (size == 0 || size > format::max_attribute_bytes) damaged(where, "an attribute is too long");
  std::string text(size, '\0');
  if (H5Aread(attribute, type, text.data()) < 0) {
    damaged(where, "an attribute cannot be read: " + take_error_stack());
  }
  text.erase(text.find_last_not_of('\0') + 1);
  return text;
}

herr_t append_name(hid_t, const char* name, const H5A_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

}  // namespace

[[noreturn]] void damaged(const std::string& where, const std::string& what) {
  throw CheckError(
      fmt::format("{}: {} (the trace is damaged or not format 1) write it again", where, what));
}

bool is_fixed_text(hid_t type) {
  return H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
}

std::optional<std::string> find_text(hid_t object, const char* name, const std::string& where) {
  if (check(H5Aexists(object, name), "look for an attribute of " + where) == 0) return {};
  Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose, "open an attribute of " + where);
  Handle type(H5Aget_type(attribute), H5Tclose, "get a type of " + where);
  Handle space(H5Aget_space(attribute), H5Sclose, "get a space of " + where);
  if (!is_fixed_text(type) || H5Sget_simple_extent_npoints(space) != 1) return {};
  return read_fixed_text(attribute, type, where);
}

std::map<std::string, std::string> root_attributes(hid_t file) {
  std::vector<std::string> names;
  hsize_t position = 0;
  check(H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, &position, append_name, &names),
        "list the root attributes");
  std::map<std::string, std::string> attributes;
  for (const std::string& name : names) {
    if (auto text = find_text(file, name.c_str(), "/")) attributes[name] = std::move(*text);
  }
  return attributes;
}

}  // namespace fabricast::hdf5
