// convoy: convolution on any device. This header includes the whole public face.
#pragma once

#include "convoy/convolution.hpp"
#include "convoy/deconvolution.hpp"
#include "convoy/device.hpp"
#include "convoy/error.hpp"
#include "convoy/image.hpp"
#include "convoy/io.hpp"
#include "convoy/log.hpp"
#include "convoy/picture.hpp"
#include "convoy/pinned_buffer.hpp"
#include "convoy/plan.hpp"
#include "convoy/selftest.hpp"
#include "convoy/shape.hpp"
#include "convoy/spec.hpp"
#include "convoy/stream.hpp"
#include "convoy/synthetic.hpp"
#include "convoy/version.hpp"
