/**
 * ONNX operators, each by its definition, as functions over tensors: one class a family. Covers the
 * forms of every operator set in use. Source of the definitions: ONNX's operator reference.
 */
@NullMarked
package dev.gridstride.examples.onnx;

import org.jspecify.annotations.NullMarked;
