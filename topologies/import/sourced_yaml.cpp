#include "topologies/import/sourced_yaml.hpp"

#include <array>

namespace fabricast {
namespace {

const std::array<std::string, 4> origin_names{"measured", "published", "datasheet", "assumed"};

Origin read_origin(const YamlCursor& at) {
  const std::string name = at.choice("origin", origin_names);
  for (const Origin origin : {Origin::measured, Origin::published, Origin::datasheet}) {
    if (name == to_string(origin)) return origin;
  }
  return Origin::assumed;
}

template <class ReadValue>
Sourced read(const YamlCursor& at, std::string_view unit, ReadValue read_value) {
  if (at.is_list()) {
    const auto items = at.items();
    if (items.size() != 3) at.fail("expected [value, origin, source]; give these three");
    return {read_value(items[0]), std::string(unit), read_origin(items[1]), items[2].text()};
  }
  if (at.is_scalar()) {
    at.fail("a number needs an origin and a source; write {value: " + at.text() +
            ", origin: datasheet, source: \"...\"}");
  }
  const double value = read_value(at.at("value"));
  return {value, std::string(unit), read_origin(at.at("origin")), at.at("source").text()};
}

}  // namespace

Sourced read_sourced(const YamlCursor& at, Dimension dimension, std::string_view unit,
                     Range range) {
  return read(at, unit,
              [&](const YamlCursor& value) { return value.scaled(dimension, unit, range); });
}

Sourced read_sourced_number(const YamlCursor& at, std::string_view unit, Range range) {
  return read(at, unit, [&](const YamlCursor& value) { return value.number(range); });
}

Sourced read_sourced_answer(const YamlCursor& at) {
  static const std::array<std::string, 2> answers{"no", "yes"};
  return read(at, "", [](const YamlCursor& value) {
    return value.choice("answer", answers) == "yes" ? 1.0 : 0.0;
  });
}

Sourced read_sourced_count(const YamlCursor& at, std::string_view unit, std::int64_t min,
                           std::int64_t max) {
  return read(at, unit, [&](const YamlCursor& value) {
    return static_cast<double>(value.integer(min, max));
  });
}

}  // namespace fabricast
