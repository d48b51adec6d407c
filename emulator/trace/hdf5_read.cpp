#include "emulator/trace/hdf5_read.hpp"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "emulator/base/communicator.hpp"
#include "emulator/base/error.hpp"
#include "emulator/trace/format.hpp"
#include "emulator/trace/guarded_read.hpp"
#include "emulator/trace/hdf5_attributes.hpp"
#include "emulator/trace/hdf5_handle.hpp"
#include "emulator/trace/hdf5_image.hpp"
#include "emulator/trace/input_file.hpp"
#include "emulator/trace/seal.hpp"

namespace fabricast::hdf5 {
namespace {

namespace fs = std::filesystem;

constexpr int max_depth = 8;
constexpr std::size_t max_objects = 100'000;

// --- Before HDF5 sees the file.

void require_regular_file(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    throw IoError(fmt::format("cannot read {} ({}) check the path", path.string(),
                              std::generic_category().message(errno)));
  }
  if (!S_ISREG(info.st_mode)) {
    throw IoError(
        fmt::format("cannot read {} (it is not a regular file) name a trace file", path.string()));
  }
}

void require_hdf5(const std::string& bytes, const fs::path& path) {
  const auto refuse = [&](const char* why) {
    throw IoError(fmt::format("cannot read {} ({}) name a trace file", path.string(), why));
  };
  if (bytes.size() < 9) refuse("shorter than any HDF5 file");
  if (std::memcmp(bytes.data(), "\x89HDF\r\n\x1a\n", 8) != 0) refuse("it is not an HDF5 file");
  if (bytes[8] < 2 || bytes[8] > 3) {
    refuse("its HDF5 layout has no checksums, so it is not a fabricast trace");
  }
}

// --- Links of a group, in the order of creation.

struct LinkEntry {
  std::string name;
  H5L_type_t type;
};

herr_t append_link(hid_t, const char* name, const H5L_info_t* info, void* links) {
  auto& entries = *static_cast<std::vector<LinkEntry>*>(links);
  entries.push_back({name, info->type});
  return entries.size() > max_objects ? 1 : 0;
}

std::vector<LinkEntry> links_of(hid_t group, const std::string& where) {
  // libhdf5 1.10 can free wild pointers while it lists a damaged dense group: ours are compact.
  H5G_info_t info{};
  if (H5Gget_info(group, &info) < 0 || info.storage_type != H5G_STORAGE_TYPE_COMPACT) {
    damaged(where, "its entries are not stored compactly");
  }
  std::vector<LinkEntry> entries;
  hsize_t position = 0;
  if (H5Literate(group, H5_INDEX_CRT_ORDER, H5_ITER_INC, &position, append_link, &entries) < 0) {
    damaged(where, "its entries cannot be listed: " + take_error_stack());
  }
  for (const LinkEntry& entry : entries) {
    if (entry.type != H5L_TYPE_HARD) damaged(where + "/" + entry.name, "a soft or external link");
  }
  return entries;
}

// --- Datasets.

class Reader {
 public:
  Reader(RawTrace& trace, std::uint64_t file_bytes) : trace_(trace), unclaimed_(file_bytes) {}

  void read_group(hid_t group, const std::string& path, int depth) {
    if (depth > max_depth) damaged(path, "groups nest too deeply");
    for (const LinkEntry& entry : links_of(group, path)) {
      if (++objects_ > max_objects) damaged(path, "too many objects");
      const std::string child_path = path + "/" + entry.name;
      Handle child = open(group, entry.name, child_path);
      const std::string kind = find_text(child, format::kind, child_path).value_or("");
      const H5I_type_t type = H5Iget_type(child);
      if (type == H5I_GROUP && kind == "table") {
        read_table(child, child_path);
      } else if (type == H5I_GROUP) {
        read_group(child, child_path, depth + 1);
      } else if (type == H5I_DATASET && kind == "document") {
        read_document(child, child_path);
      } else if (type == H5I_DATASET && child_path == format::summary) {
        read_summary(child);
      } else {
        problem(child_path, "neither table, document nor summary (no `kind` attribute)");
      }
    }
  }

 private:
  void problem(const std::string& where, const std::string& what) {
    trace_.problems.push_back({where, what});
  }

  static Handle open(hid_t group, const std::string& name, const std::string& where) {
    const hid_t id = H5Oopen(group, name.c_str(), H5P_DEFAULT);
    if (id < 0) damaged(where, "cannot be opened: " + take_error_stack());
    return {id, H5Oclose, where};
  }

  // Rejects what could read other files, run plugins or need unbounded memory.
  void check_layout(hid_t dataset, std::size_t rows, std::size_t bytes, const std::string& where) {
    Handle layout(H5Dget_create_plist(dataset), H5Pclose, "get the layout of " + where);
    hsize_t chunk = 0;
    if (H5Pget_layout(layout) != H5D_CHUNKED || H5Pget_chunk(layout, 1, &chunk) != 1) {
      damaged(where, "not chunked");
    }
    if (chunk != format::rows_per_chunk(rows, bytes)) {
      problem(where, fmt::format("chunks of {} rows instead of {}", chunk,
                                 format::rows_per_chunk(rows, bytes)));
      const std::uint64_t limit = std::max<std::uint64_t>(format::chunk_bytes, bytes);
      if (chunk > limit / bytes) damaged(where, "its chunks are too large");
    }
    std::vector<H5Z_filter_t> filters;
    const int count = check(H5Pget_nfilters(layout), "count the filters of " + where);
    for (int i = 0; i < count; ++i) {
      unsigned flags = 0, settings = 0;
      std::size_t values = 0;
      filters.push_back(H5Pget_filter2(layout, static_cast<unsigned>(i), &flags, &values, nullptr,
                                       0, nullptr, &settings));
      if (filters.back() != H5Z_FILTER_SHUFFLE && filters.back() != H5Z_FILTER_DEFLATE &&
          filters.back() != H5Z_FILTER_FLETCHER32) {
        damaged(where, fmt::format("filter {} is none of ours", filters.back()));
      }
    }
    const std::vector<H5Z_filter_t> wanted{H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE,
                                           H5Z_FILTER_FLETCHER32};
    if (filters != wanted) problem(where, "filters are not shuffle, gzip, fletcher32");
  }

  std::size_t checked_rows(hid_t dataset, std::size_t bytes, const std::string& where) {
    Handle space(H5Dget_space(dataset), H5Sclose, "get the shape of " + where);
    hsize_t rows = 0;
    if (H5Sget_simple_extent_ndims(space) != 1 ||
        H5Sget_simple_extent_dims(space, &rows, nullptr) != 1) {
      damaged(where, "not one-dimensional");
    }
    if (bytes == 0 || rows > format::max_rows || rows > format::max_column_bytes / bytes) {
      damaged(where, fmt::format("{} rows of {} bytes are too many", rows, bytes));
    }
    check_layout(dataset, static_cast<std::size_t>(rows), bytes, where);
    const std::uint64_t stored = H5Dget_storage_size(dataset);
    // Datasets whose chunks share bytes would expand to any size.
    if (stored > unclaimed_) damaged(where, "the file has fewer bytes than its datasets");
    unclaimed_ -= stored;
    if (rows * bytes > stored * format::max_deflate_ratio) {
      damaged(where, fmt::format("{} stored bytes cannot hold {} rows", stored, rows));
    }
    return static_cast<std::size_t>(rows);
  }

  static void read_into(hid_t dataset, hid_t type, void* data, std::size_t rows,
                        const std::string& where) {
    if (rows > 0 && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
      damaged(where, "its data cannot be read: " + take_error_stack());
    }
  }

  std::vector<std::string> read_texts(hid_t dataset, hid_t type, const std::string& where) {
    const std::size_t width = H5Tget_size(type);
    const std::size_t rows = checked_rows(dataset, width, where);
    if (H5Tget_strpad(type) != H5T_STR_NULLPAD || H5Tget_cset(type) != H5T_CSET_UTF8) {
      problem(where, "text is not NUL-padded UTF-8");
    }
    std::vector<char> flat(rows * width);
    read_into(dataset, type, flat.data(), rows, where);
    std::vector<std::string> texts(rows);
    for (std::size_t row = 0; row < rows; ++row) {
      std::size_t length = width;
      while (length > 0 && flat[row * width + length - 1] == '\0') --length;
      texts[row].assign(flat.data() + row * width, length);
    }
    return texts;
  }

  Column read_column(hid_t dataset, const std::string& name, const std::string& where) {
    Column column;
    column.name = name;
    Handle type(H5Dget_type(dataset), H5Tclose, "get the type of " + where);
    if (is_fixed_text(type)) {
      column.values = read_texts(dataset, type, where);
    } else if (H5Tequal(type, H5T_STD_I64LE) > 0) {
      Column::Integers values(checked_rows(dataset, 8, where));
      read_into(dataset, H5T_NATIVE_INT64, values.data(), values.size(), where);
      column.values = std::move(values);
    } else if (H5Tequal(type, H5T_IEEE_F64LE) > 0) {
      Column::Reals values(checked_rows(dataset, 8, where));
      read_into(dataset, H5T_NATIVE_DOUBLE, values.data(), values.size(), where);
      column.values = std::move(values);
    } else if (H5Tequal(type, H5T_STD_U8LE) > 0) {
      Column::Codes values(checked_rows(dataset, 1, where));
      read_into(dataset, H5T_NATIVE_UINT8, values.data(), values.size(), where);
      column.values = std::move(values);
      column.flag_meanings = read_meanings(dataset, where);
    } else {
      damaged(where, "neither int64, float64, fixed-length text nor a uint8 code");
    }
    const auto units = find_text(dataset, "units", where);
    const auto long_name = find_text(dataset, "long_name", where);
    if (!units) problem(where, "no `units` attribute");
    if (!long_name || long_name->empty()) problem(where, "no `long_name` attribute");
    if (name != format::row_scale &&
        check(H5Aexists(dataset, "DIMENSION_LIST"), "look at " + where) == 0) {
      problem(where, "not attached to the dimension scale `row`");
    }
    column.units = units.value_or("");
    column.long_name = long_name.value_or("");
    return column;
  }

  std::vector<std::string> read_meanings(hid_t dataset, const std::string& where) {
    const std::string text = find_text(dataset, "flag_meanings", where).value_or("");
    std::vector<std::string> meanings;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find(' ', begin), text.size());
      meanings.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    check_flag_values(dataset, meanings.size(), where);
    return meanings;
  }

  void check_flag_values(hid_t dataset, std::size_t count, const std::string& where) {
    if (check(H5Aexists(dataset, "flag_values"), "look at " + where) == 0) {
      damaged(where, "a code without `flag_values`");
    }
    Handle attribute(H5Aopen(dataset, "flag_values", H5P_DEFAULT), H5Aclose, "open flag_values");
    Handle type(H5Aget_type(attribute), H5Tclose, "get a type of " + where);
    Handle space(H5Aget_space(attribute), H5Sclose, "get a space of " + where);
    const hssize_t points = H5Sget_simple_extent_npoints(space);
    if (H5Tequal(type, H5T_STD_U8LE) <= 0 || points < 0 || points > 255 ||
        static_cast<std::size_t>(points) != count) {
      damaged(where, "`flag_values` and `flag_meanings` disagree");
    }
    std::array<std::uint8_t, 255> values{};
    check(H5Aread(attribute, H5T_NATIVE_UINT8, values.data()), "read flag_values of " + where);
    for (std::size_t i = 0; i < count; ++i) {
      if (values[i] != i) damaged(where, "`flag_values` are not 0, 1, 2 ...");
    }
  }

  void read_table(hid_t group, const std::string& path) {
    Table table;
    table.path = path;
    table.title = find_text(group, "title", path).value_or("");
    if (table.title.empty()) problem(path, "no `title` attribute");
    std::optional<std::size_t> scale_rows;
    for (const LinkEntry& entry : links_of(group, path)) {
      const std::string where = path + "/" + entry.name;
      if (table.columns.size() > format::max_columns) damaged(path, "too many columns");
      Handle child = open(group, entry.name, where);
      if (H5Iget_type(child) != H5I_DATASET) damaged(where, "a group inside a table");
      Column column = read_column(child, entry.name, where);
      if (entry.name == format::row_scale) {
        check_scale(column, where);
        scale_rows = column.size();
      } else {
        table.columns.push_back(std::move(column));
      }
    }
    if (!scale_rows) {
      problem(path, "no dimension scale `row`");
    } else if (!table.columns.empty() && *scale_rows != table.rows()) {
      damaged(path,
              fmt::format("scale `row` has {} rows, the columns {}", *scale_rows, table.rows()));
    }
    trace_.content.tables.push_back(std::move(table));
  }

  static void check_scale(const Column& scale, const std::string& where) {
    const auto* rows = std::get_if<Column::Integers>(&scale.values);
    if (rows == nullptr) damaged(where, "not int64");
    for (std::size_t i = 0; i < rows->size(); ++i) {
      if ((*rows)[i] != static_cast<std::int64_t>(i)) damaged(where, "rows are not 0, 1, 2 ...");
    }
  }

  void read_document(hid_t dataset, const std::string& path) {
    Handle type(H5Dget_type(dataset), H5Tclose, "get the type of " + path);
    if (!is_fixed_text(type)) damaged(path, "a document that is not fixed-length text");
    std::vector<std::string> texts = read_texts(dataset, type, path);
    if (texts.size() != 1) damaged(path, "a document must have one element");
    trace_.content.documents[path] = std::move(texts.front());
  }

  void read_summary(hid_t dataset) {
    Handle type(H5Dget_type(dataset), H5Tclose, "get the type of /summary");
    if (H5Tget_class(type) != H5T_COMPOUND || H5Tdetect_class(type, H5T_VLEN) > 0) {
      damaged(format::summary, "not a plain compound");
    }
    trace_.summary_row_bytes = H5Tget_size(type);
    const std::size_t rows = checked_rows(dataset, trace_.summary_row_bytes, format::summary);
    trace_.summary.resize(rows * trace_.summary_row_bytes);
    read_into(dataset, type, trace_.summary.data(), rows, format::summary);
    trace_.has_summary = true;
  }

  RawTrace& trace_;
  std::uint64_t unclaimed_;  // bytes of the file that no dataset read so far is stored in
  std::size_t objects_ = 0;
};

RawTrace read_sealed(std::string& bytes, const fs::path& path) {
  const QuietErrors quiet;
  const std::uint64_t file_bytes = bytes.size();
  const Handle file = open_in_memory(bytes, "open " + path.string());
  RawTrace trace;
  trace.content.attributes = root_attributes(file);
  const auto& attributes = trace.content.attributes;
  const auto schema = attributes.find("schema");
  if (schema == attributes.end() || schema->second != format::schema) {
    throw IoError(
        fmt::format("cannot read {} (an HDF5 file, but not a fabricast trace) name a "
                    "trace file",
                    path.string()));
  }
  const auto version = attributes.find("schema_version");
  if (version == attributes.end() || !version->second.starts_with("1.")) {
    throw IoError(
        fmt::format("cannot read {} (trace format {}, this program reads 1) use a newer "
                    "fabricast",
                    path.string(), version == attributes.end() ? "unknown" : version->second));
  }
  Handle root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose, "open the root group");
  Reader(trace, file_bytes).read_group(root, "", 0);
  return trace;
}

// In the child: also what libhdf5 would do when the program ends.
void read_and_close(std::string& bytes, const fs::path& path) {
  try {
    read_sealed(bytes, path);
  } catch (const Error&) {  // the parent will say it
  }
  H5close();
}

}  // namespace

RawTrace read_raw(const fs::path& path, Author author) {
  require_regular_file(path);
  std::string bytes = read_whole_file(path);
  require_hdf5(bytes, path);
  require_seal(bytes, path);
  // An MPI process must not fork (Open MPI warns of it): there, traces are taken as friendly.
  if (author == Author::anyone && !Communicator::launched_by_mpi()) {
    require_survivable(path, bytes.size(), [&] { read_and_close(bytes, path); });
  }
  return read_sealed(bytes, path);
}

}  // namespace fabricast::hdf5
