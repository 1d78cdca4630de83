/** Layers: modules with parameters, built of tensor ops. */
@NullMarked
package dev.gridstride.nn;

import org.jspecify.annotations.NullMarked;
