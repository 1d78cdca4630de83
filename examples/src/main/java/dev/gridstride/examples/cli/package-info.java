/** The commands of {@code ./gridstride}. */
@NullMarked
package dev.gridstride.examples.cli;

import org.jspecify.annotations.NullMarked;
