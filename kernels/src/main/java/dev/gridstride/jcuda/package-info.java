/**
 * Gridstride beside JCuda in one program, and JCuda's libraries as implementations of ops. Optional
 * dependencies: nothing else here needs JCuda, and without {@code org.jcuda:jcuda} ({@code
 * jcublas}, {@code jcudnn}) on the class path only this package can't be used.
 */
@NullMarked
package dev.gridstride.jcuda;

import org.jspecify.annotations.NullMarked;
