// CUDA's umbrella header, for builds that have no CUDA toolkit.
#pragma once
#include "cuda_runtime_api.h"
