// Merging: whatever the pieces, their order and their cut, the rows end up the same.
#include "emulator/trace/row_pieces.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

Column integers(std::string name, Column::Integers values) {
  return {std::move(name), "1", "", std::move(values), {}};
}

// Points as rows of /results with `point % 3` rows of /links each.
RowPiece piece_of(const std::vector<std::int64_t>& points) {
  RowPiece piece;
  Column::Integers value, result, load;
  for (std::size_t row = 0; row < points.size(); ++row) {
    value.push_back(points[row] * 10);
    for (std::int64_t i = 0; i < points[row] % 3; ++i) {
      result.push_back(static_cast<std::int64_t>(row));
      load.push_back(points[row] * 100 + i);
    }
  }
  Table results{"/results", "", {}}, links{"/links", "", {}};
  results.add(integers("value", value));
  links.add(integers("result", result));
  links.add(integers("load", load));
  // Either order of the tables is a valid piece.
  if (points.size() % 2 == 0) {
    piece.content.tables = {results, links};
  } else {
    piece.content.tables = {links, results};
  }
  piece.positions["/results"] = points;
  return piece;
}

void expect_whole(const RowPiece& merged, std::int64_t count) {
  const auto& value = merged.content.at("/results").integers("value");
  const auto& result = merged.content.at("/links").integers("result");
  const auto& load = merged.content.at("/links").integers("load");
  ASSERT_EQ(value.size(), static_cast<std::size_t>(count));
  std::size_t link = 0;
  for (std::int64_t point = 0; point < count; ++point) {
    EXPECT_EQ(value[static_cast<std::size_t>(point)], point * 10);
    for (std::int64_t i = 0; i < point % 3; ++i, ++link) {
      ASSERT_LT(link, load.size());
      EXPECT_EQ(result[link], point);
      EXPECT_EQ(load[link], point * 100 + i);
    }
  }
  EXPECT_EQ(link, load.size());
}

TEST(RowPieces, AnyCutAndOrderGivesTheSameRows) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    const std::int64_t count = 1 + static_cast<std::int64_t>(random() % 20);
    std::vector<std::int64_t> points(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < points.size(); ++i) points[i] = static_cast<std::int64_t>(i);
    std::shuffle(points.begin(), points.end(), random);
    std::vector<RowPiece> pieces;
    for (std::size_t begin = 0; begin < points.size();) {
      const auto length = std::min<std::size_t>(points.size() - begin, 1 + random() % 5);
      const auto from = points.begin() + static_cast<std::ptrdiff_t>(begin);
      pieces.push_back(piece_of({from, from + static_cast<std::ptrdiff_t>(length)}));
      begin += length;
    }
    expect_whole(merge(pieces), count);
    // Merging is associative: what segments do.
    const std::size_t half = pieces.size() / 2;
    const std::vector<RowPiece> halves{merge(std::span(pieces).first(half)),
                                       merge(std::span(pieces).subspan(half))};
    expect_whole(merge(halves), count);
  }
}

TEST(RowPieces, TheSameRowTwiceIsRefused) {
  const std::vector<RowPiece> twice{piece_of({0, 1}), piece_of({1})};
  EXPECT_THROW(merge(twice), CheckError);
}

TEST(RowPieces, AReferenceToNowhereIsRefused) {
  std::vector<RowPiece> pieces{piece_of({1, 2})};
  for (Table& table : pieces.front().content.tables) {
    if (table.path == "/links") std::get<Column::Integers>(table.columns.front().values).back() = 2;
  }
  EXPECT_THROW(merge(pieces), CheckError);
}

TEST(RowPieces, OtherColumnsAreRefused) {
  std::vector<RowPiece> pieces{piece_of({0, 1}), piece_of({2, 3})};
  pieces.back().content.tables.front().columns.front().name = "other";
  EXPECT_THROW(merge(pieces), CheckError);
}

TEST(RowPieces, DocumentsMustAgreeAndConfigurationsFollowOneAnother) {
  std::vector<RowPiece> pieces(2);
  pieces[0].content.documents = {{"/machine/a", "one"}, {"/config", "x: 1\n"}};
  pieces[1].content.documents = {{"/machine/a", "one"}, {"/config", "x: 2\n"}};
  EXPECT_EQ(merge(pieces).content.documents.at("/config"), "x: 1\n---\nx: 2\n");
  pieces[1].content.documents["/machine/a"] = "two";
  EXPECT_THROW(merge(pieces), CheckError);
}

}  // namespace
}  // namespace fabricast
