/** What the examples print, draw and write, kept out of the examples. */
@NullMarked
package dev.gridstride.examples.report;

import org.jspecify.annotations.NullMarked;
