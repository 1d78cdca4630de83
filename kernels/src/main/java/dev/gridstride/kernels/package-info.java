/**
 * The ops: each a record that describes it, a plan that runs it, and its list of implementations.
 *
 * <p>This level works on buffers with explicit shapes and strides; it knows no tensors and never
 * allocates while it runs.
 */
@NullMarked
package dev.gridstride.kernels;

import org.jspecify.annotations.NullMarked;
