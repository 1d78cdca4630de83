/** Inner loops written with the Vector API; linked only when its module is present. */
@NullMarked
package dev.gridstride.cpu.vector;

import org.jspecify.annotations.NullMarked;
