/**
 * The CUDA backend: a hand-written binding of {@code native/include/gridstride.h} through the
 * foreign function interface, and the devices on top of it. The emulator, the same library compiled
 * for the CPU, is a second device of this package.
 *
 * <p>The only package with restricted calls. A library is loaded when its devices are first asked
 * for; a machine without one gets a sentence that says why, never an error.
 */
@NullMarked
package dev.gridstride.cuda;

import org.jspecify.annotations.NullMarked;
