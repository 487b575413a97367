// convoy: convolution on any device. This header includes the whole public face of the target convoy::convoy. Image
// files are a library of their own, convoy::io: include convoy/io.hpp and convoy/picture.hpp for it.
#pragma once

#include "convoy/convolution.hpp"
#include "convoy/deconvolution.hpp"
#include "convoy/device.hpp"
#include "convoy/device_buffer.hpp"
#include "convoy/error.hpp"
#include "convoy/image.hpp"
#include "convoy/libraries.hpp"
#include "convoy/log.hpp"
#include "convoy/path.hpp"
#include "convoy/pinned_buffer.hpp"
#include "convoy/plan.hpp"
#include "convoy/resident.hpp"
#include "convoy/selftest.hpp"
#include "convoy/settings.hpp"
#include "convoy/shape.hpp"
#include "convoy/spec.hpp"
#include "convoy/stream.hpp"
#include "convoy/synthetic.hpp"
#include "convoy/version.hpp"
