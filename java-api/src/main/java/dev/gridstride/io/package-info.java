/**
 * Readers and writers of tensor files: IDX, CSV, npy, safetensors; a reader of WAVE sounds.
 *
 * <p>Readers believe no length field: everything is checked against the size of the file before
 * memory is allocated. Contents that break their format give {@link
 * dev.gridstride.io.FormatException}; a file that can't be read or written gives {@link
 * dev.gridstride.io.FileException}. Data goes from the mapped file to the tensor without a copy on
 * the heap.
 */
@NullMarked
package dev.gridstride.io;

import org.jspecify.annotations.NullMarked;
