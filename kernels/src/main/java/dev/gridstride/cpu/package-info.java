/**
 * The CPU backend: drivers that block, thread and lay out the work of each op.
 *
 * <p>Inner loops sit behind small interfaces with an implementation in {@code cpu.vector} (Vector
 * API) and a twin in {@code cpu.scalar}; {@link dev.gridstride.cpu.Simd} says which is used.
 */
@NullMarked
package dev.gridstride.cpu;

import org.jspecify.annotations.NullMarked;
