/** The command line and the example programs: one idea each, meant to be read. */
@NullMarked
package dev.gridstride.examples;

import org.jspecify.annotations.NullMarked;
