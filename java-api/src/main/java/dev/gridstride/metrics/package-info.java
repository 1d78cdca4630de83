/** Measures of how good predictions are; computed on the host, in f64. */
@NullMarked
package dev.gridstride.metrics;

import org.jspecify.annotations.NullMarked;
