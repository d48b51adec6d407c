#include "emulator/trace/hdf5_write.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"
#include "emulator/trace/format.hpp"
#include "emulator/trace/hdf5_handle.hpp"
#include "emulator/trace/hdf5_image.hpp"
#include "emulator/trace/sha256.hpp"
#include "emulator/trace/summary.hpp"

namespace fabricast::hdf5 {
namespace {

// --- Attributes and groups.

Handle scalar_space() { return {H5Screate(H5S_SCALAR), H5Sclose, "create a scalar space"}; }

Handle line_space(std::size_t count) {
  const hsize_t dims = count;
  // An empty dataset may only be chunked if it could grow.
  const hsize_t max = count == 0 ? H5S_UNLIMITED : dims;
  return {H5Screate_simple(1, &dims, &max), H5Sclose, "create a dataspace"};
}

void put_attribute(hid_t object, const std::string& name, hid_t type, hid_t space,
                   const void* data) {
  Handle attribute(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT),
                   H5Aclose, "create attribute " + name);
  check(H5Awrite(attribute, type, data), "write attribute " + name);
  attribute.close("attribute " + name);
}

void put_text(hid_t object, const std::string& name, const std::string& text) {
  put_attribute(object, name, text_type(text.size()), scalar_space(), text.c_str());
}

// The dimension-scale specification wants null-terminated ASCII for its own attributes.
void put_scale_text(hid_t object, const char* name, const char* text) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "copy the string type");
  check(H5Tset_size(type, std::strlen(text) + 1), "size a string type");
  put_attribute(object, name, type, scalar_space(), text);
}

Handle create_group(hid_t file, const std::string& path) {
  Handle creation(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, "create a property list");
  keep_links_together(creation);
  return {H5Gcreate2(file, path.c_str(), H5P_DEFAULT, creation, H5P_DEFAULT), H5Gclose,
          "create group " + path};
}

// The groups above `path`, made by hand because HDF5 gives implicit ones a time stamp.
void create_folders(hid_t file, const std::string& path) {
  for (std::size_t end = path.find('/', 1); end != std::string::npos;
       end = path.find('/', end + 1)) {
    const std::string folder = path.substr(0, end);
    if (check(H5Lexists(file, folder.c_str(), H5P_DEFAULT), "look for " + folder) == 0) {
      create_group(file, folder).close("folder " + folder);
    }
  }
}

// --- Datasets: always chunked, shuffled, deflated and checksummed, however small.

struct DatasetShape {
  std::size_t rows = 0;
  std::size_t element_bytes = 0;
  // Of the dataset's type. None for text: netcdf-c 4.9.0 reads the fill value of a fixed-length
  // string into a buffer of 8 bytes, and crashes.
  const void* fill = nullptr;
  int gzip_level = 1;
};

Handle create_dataset(hid_t parent, const std::string& name, hid_t type,
                      const DatasetShape& shape) {
  Handle layout(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "create a property list");
  const hsize_t chunk = format::rows_per_chunk(shape.rows, shape.element_bytes);
  check(H5Pset_chunk(layout, 1, &chunk), "set chunks of " + name);
  check(H5Pset_shuffle(layout), "add the shuffle filter");
  check(H5Pset_deflate(layout, static_cast<unsigned>(shape.gzip_level)), "add the gzip filter");
  check(H5Pset_fletcher32(layout), "add the fletcher32 filter");
  if (shape.fill != nullptr) {
    check(H5Pset_fill_value(layout, type, shape.fill), "set the fill value of " + name);
  }
  keep_together(layout);
  return {H5Dcreate2(parent, name.c_str(), type, line_space(shape.rows), H5P_DEFAULT, layout,
                     H5P_DEFAULT),
          H5Dclose, "create dataset " + name};
}

void put_data(hid_t dataset, hid_t type, const void* data, std::size_t rows,
              const std::string& name) {
  if (rows > 0) {
    check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), "write " + name);
  }
}

std::size_t widest(const std::vector<std::string>& texts) {
  std::size_t width = 1;
  for (const std::string& text : texts) width = std::max(width, text.size());
  return width;
}

struct PutColumn {
  hid_t group;
  const Column& column;
  int gzip_level;

  Handle put(hid_t type, std::size_t bytes, const void* fill, const void* data) const {
    Handle dataset =
        create_dataset(group, column.name, type, {column.size(), bytes, fill, gzip_level});
    put_data(dataset, type, data, column.size(), column.name);
    return dataset;
  }
  Handle operator()(const Column::Integers& values) const {
    return put(H5T_STD_I64LE, 8, &int64_fill, values.data());
  }
  Handle operator()(const Column::Reals& values) const {
    const double fill = std::numeric_limits<double>::quiet_NaN();
    return put(H5T_IEEE_F64LE, 8, &fill, values.data());
  }
  Handle operator()(const Column::Texts& values) const {
    const std::size_t width = widest(values);
    std::vector<char> flat(width * values.size(), '\0');
    for (std::size_t row = 0; row < values.size(); ++row) {
      std::copy(values[row].begin(), values[row].end(),
                flat.begin() + static_cast<std::ptrdiff_t>(row * width));
    }
    return put(text_type(width), width, nullptr, flat.data());
  }
  Handle operator()(const Column::Codes& values) const {
    Handle dataset = put(H5T_STD_U8LE, 1, &format::code_fill, values.data());
    std::vector<std::uint8_t> flags;
    std::string meanings;
    for (const std::string& meaning : column.flag_meanings) {
      meanings += (flags.empty() ? "" : " ") + meaning;
      flags.push_back(static_cast<std::uint8_t>(flags.size()));
    }
    put_attribute(dataset, "flag_values", H5T_STD_U8LE, line_space(flags.size()), flags.data());
    put_text(dataset, "flag_meanings", meanings);
    return dataset;
  }
};

// --- Dimension scales (HDF5 Dimension Scale Specification 1.0), written without the HL library.

struct ScaleUse {  // one element of REFERENCE_LIST
  hobj_ref_t dataset;
  std::int32_t dimension;
  std::int32_t padding;
};

void attach_to_scale(hid_t dataset, hobj_ref_t& scale) {
  Handle type(H5Tvlen_create(H5T_STD_REF_OBJ), H5Tclose, "create a reference list type");
  const hvl_t list{1, &scale};
  put_attribute(dataset, "DIMENSION_LIST", type, line_space(1), &list);
}

void put_scale_users(hid_t scale, const std::vector<ScaleUse>& users) {
  if (users.empty()) return;
  Handle type(H5Tcreate(H5T_COMPOUND, sizeof(ScaleUse)), H5Tclose, "create a compound type");
  check(H5Tinsert(type, "dataset", offsetof(ScaleUse, dataset), H5T_STD_REF_OBJ), "add a member");
  check(H5Tinsert(type, "dimension", offsetof(ScaleUse, dimension), H5T_STD_I32LE), "add a member");
  put_attribute(scale, "REFERENCE_LIST", type, line_space(users.size()), users.data());
}

Handle put_row_scale(hid_t group, std::size_t rows, int gzip_level) {
  Column::Integers numbers(rows);
  for (std::size_t i = 0; i < rows; ++i) numbers[i] = static_cast<std::int64_t>(i);
  Handle scale =
      create_dataset(group, format::row_scale, H5T_STD_I64LE, {rows, 8, &int64_fill, gzip_level});
  put_data(scale, H5T_STD_I64LE, numbers.data(), rows, format::row_scale);
  put_scale_text(scale, "CLASS", "DIMENSION_SCALE");
  put_scale_text(scale, "NAME", format::row_scale);
  put_text(scale, "units", "1");
  put_text(scale, "long_name", "row number");
  return scale;
}

void put_table(hid_t file, const Table& table, int gzip_level) {
  create_folders(file, table.path);
  Handle group = create_group(file, table.path);
  put_text(group, format::kind, "table");
  put_text(group, "title", table.title);
  Handle scale = put_row_scale(group, table.rows(), gzip_level);
  hobj_ref_t scale_reference{};
  check(H5Rcreate(&scale_reference, group, format::row_scale, H5R_OBJECT, H5I_INVALID_HID),
        "refer to the row scale");
  std::vector<ScaleUse> users;
  for (const Column& column : table.columns) {
    Handle dataset = std::visit(PutColumn{group, column, gzip_level}, column.values);
    put_text(dataset, "units", column.units);
    put_text(dataset, "long_name", column.long_name);
    attach_to_scale(dataset, scale_reference);
    ScaleUse use{};
    check(H5Rcreate(&use.dataset, group, column.name.c_str(), H5R_OBJECT, H5I_INVALID_HID),
          "refer to column " + column.name);
    users.push_back(use);
    dataset.close("column " + column.name);
  }
  put_scale_users(scale, users);
  scale.close("row scale of " + table.path);
  group.close("table " + table.path);
}

// One element rather than a scalar: HDF5 can compress and checksum only chunked datasets.
void put_document(hid_t file, const std::string& path, const std::string& text, int gzip_level) {
  Handle type = text_type(text.size());
  const std::size_t bytes = std::max<std::size_t>(1, text.size());
  create_folders(file, path);
  Handle dataset = create_dataset(file, path, type, {1, bytes, nullptr, gzip_level});
  put_data(dataset, type, text.c_str(), 1, path);
  put_text(dataset, format::kind, "document");
  put_scale_text(dataset, "CLASS", "DIMENSION_SCALE");  // so that netCDF readers know its shape
  dataset.close("document " + path);
}

void put_summary(hid_t file, const Table& results, int gzip_level) {
  const Summary summary = build_summary(results);
  Handle type(H5Tcreate(H5T_COMPOUND, summary.row_bytes), H5Tclose, "create a compound type");
  for (const SummaryMember& member : summary.members) {
    const Handle text = text_type(member.bytes);
    const hid_t kind = member.type == MemberType::integer ? H5T_STD_I64LE
                       : member.type == MemberType::real  ? H5T_IEEE_F64LE
                                                          : text.get();
    check(H5Tinsert(type, member.name.c_str(), member.offset, kind), "add " + member.name);
  }
  Handle dataset = create_dataset(file, format::summary, type,
                                  {summary.rows, summary.row_bytes, nullptr, gzip_level});
  put_data(dataset, type, summary.data.data(), summary.rows, format::summary);
  put_text(dataset, format::kind, "summary");
  put_scale_text(dataset, "CLASS", "DIMENSION_SCALE");
  put_text(dataset, "long_name",
           "/results in short for pandas.read_hdf: time_us, low and high in us, algbw and busbw in "
           "GB/s (1e9 B/s), bytes in B");
  dataset.close("summary");
}

void put_root_attributes(hid_t file, const TraceContent& content, const std::string& created) {
  put_text(file, "schema", format::schema);
  put_text(file, "schema_version", format::schema_version);
  put_text(file, "created", created);
  for (const auto& [name, value] : content.attributes) {
    if (!format::writer_attributes().contains(name)) {
      put_text(file, name, format::stored_attribute(value));
    }
  }
  const auto config = content.documents.find("/config");
  if (config != content.documents.end()) {
    put_text(file, "config_digest", sha256_hex(config->second));
  }
  put_text(file, "content_digest", content_digest(content));
}

}  // namespace

Image build_image(const TraceContent& content, const std::string& created, int gzip_level) {
  FABRICAST_EXPECT(gzip_level >= 0 && gzip_level <= 9, "gzip has levels 0 to 9");
  const QuietErrors quiet;
  Image image;
  Handle file = create_in_memory(image);
  put_root_attributes(file, content, created);
  for (const auto& [path, text] : content.documents) put_document(file, path, text, gzip_level);
  for (const Table& table : content.tables) put_table(file, table, gzip_level);
  if (const Table* results = content.find("/results")) put_summary(file, *results, gzip_level);
  put_text(file, "complete", "yes");
  file.close("the file in memory");
  seal_image(image);
  return image;
}

}  // namespace fabricast::hdf5
