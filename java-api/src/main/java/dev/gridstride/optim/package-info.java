/** Gradient descent on tensors, learning-rate schedules and gradient clipping. */
@NullMarked
package dev.gridstride.optim;

import org.jspecify.annotations.NullMarked;
