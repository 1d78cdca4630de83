/** Boxes around things in images: overlap, suppression, precision of detectors; on the host. */
@NullMarked
package dev.gridstride.vision;

import org.jspecify.annotations.NullMarked;
