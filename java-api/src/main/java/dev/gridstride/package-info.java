/**
 * Tensors: shapes, ownership and automatic differentiation over the ops of {@code
 * dev.gridstride.kernels}.
 */
@NullMarked
package dev.gridstride;

import org.jspecify.annotations.NullMarked;
