/** Data sets, batches, shuffling and prefetch; splits and standardisation. */
@NullMarked
package dev.gridstride.data;

import org.jspecify.annotations.NullMarked;
