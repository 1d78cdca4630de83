/** Games and the search for moves, kept out of the examples. */
@NullMarked
package dev.gridstride.examples.game;

import org.jspecify.annotations.NullMarked;
