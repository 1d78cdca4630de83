/** Inner loops in plain Java: the twins of {@code cpu.vector}, for a JVM without that module. */
@NullMarked
package dev.gridstride.cpu.scalar;

import org.jspecify.annotations.NullMarked;
