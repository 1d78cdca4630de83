/** Data sets in the form in which several examples read them. */
@NullMarked
package dev.gridstride.examples.data;

import org.jspecify.annotations.NullMarked;
