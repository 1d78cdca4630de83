/**
 * Gridstride beside JCuda in one program. An optional dependency: nothing else here needs JCuda,
 * and without {@code org.jcuda:jcuda} on the class path only this package can't be used.
 */
@NullMarked
package dev.gridstride.jcuda;

import org.jspecify.annotations.NullMarked;
