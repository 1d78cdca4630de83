/** Random ops on a device against plain loops in double; a failure is made small and repeatable. */
@NullMarked
package dev.gridstride.examples.fuzz;

import org.jspecify.annotations.NullMarked;
