// What a shared libconvoy exports to convoy's own other libraries and programs alone.
#pragma once

#include "convoy/export.h"

/// No part of the interface: the names carry the version CONVOY_PRIVATE (scripts/cmake/exports.map) and fit one build.
#define CONVOY_PRIVATE CONVOY_API
