// A torus as a picture: a plane of its first two axes, the planes along the third, and how each
// axis closes. Lengths are px.
#pragma once

#include <string>

#include "emulator/base/svg.hpp"
#include "topologies/model/machine_spec.hpp"

namespace fabricast {

double torus_height(const DomainSpec& domain);

// From `y` down; `noun`: what a member is called.
void draw_torus(Svg& svg, double y, const DomainSpec& domain, const std::string& noun);

}  // namespace fabricast
