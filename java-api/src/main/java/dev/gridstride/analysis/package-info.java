/** Methods that find structure in a table without gradients: factorisations and clusters. */
@NullMarked
package dev.gridstride.analysis;

import org.jspecify.annotations.NullMarked;
