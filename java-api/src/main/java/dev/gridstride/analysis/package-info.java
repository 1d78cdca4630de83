/** Methods without gradients: factorisations and clusters of tables, spectra of sounds. */
@NullMarked
package dev.gridstride.analysis;

import org.jspecify.annotations.NullMarked;
