// All device wrappers.
#pragma once
#include "kx/barrier.h"
#include "kx/copy_async.h"
#include "kx/launch.h"
#include "kx/mbarrier.h"
#include "kx/mma.h"
#include "kx/numeric.h"
#include "kx/platform.h"
#include "kx/registers.h"
#include "kx/tma.h"
#include "kx/wgmma.h"
