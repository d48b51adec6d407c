// Pictures that commands write: SVG, or a page of HTML around it.
#pragma once

#include <string>

namespace fabricast {

// Throws UsageError for a name that promises another kind of picture (.png, .pdf ...).
void check_picture_name(const std::string& path);

// Publishes the picture under that name: NAME.html becomes a page that shows it, anything else is
// the SVG itself. Throws as check_picture_name, IoError as publish_file.
void publish_picture(const std::string& path, const std::string& svg, bool force);

}  // namespace fabricast
