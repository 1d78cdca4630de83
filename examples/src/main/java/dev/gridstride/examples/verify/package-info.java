/** Conformance cases: reading them, running them, comparing what came out. */
@NullMarked
package dev.gridstride.examples.verify;

import org.jspecify.annotations.NullMarked;
