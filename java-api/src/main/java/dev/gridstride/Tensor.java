package dev.gridstride;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Layout;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * An n-dimensional array of one element type on one device.
 *
 * <p>Ops return new tensors; those that only change how elements are seen ({@link #view}, permute,
 * slice, ...) share memory with the original. A tensor belongs to the {@link Scope} in which it was
 * made, or else to the caller, who closes it. Memory is freed when the last tensor that shares it
 * is closed. Tensors never change device by themselves: operands of one op must live together.
 *
 * <p>With {@link #requiresGrad(boolean)} a tensor becomes a leaf: {@link #backward()} on a result
 * adds the gradient to the leaf's {@link #grad}. See {@link Autograd}.
 *
 * <p>The ops are inherited from one interface for each family. Reading is thread-safe.
 */
public final class Tensor
    implements AutoCloseable,
        Arithmetic,
        Attention,
        Activations,
        Convolutions,
        Indexing,
        Losses,
        Normalizations,
        Pooling,
        Products,
        Reductions,
        Shaping {
  @Nullable Scope owner;
  Autograd.@Nullable Node node;

  private final Storage storage;
  private final Layout layout;
  private final long offset;
  private final Shape shape;
  private final DType dtype;
  private final Buffer buffer;
  private boolean leafRequiresGrad;
  private @Nullable Tensor grad;
  private volatile boolean closed;

  private Tensor(Storage storage, long offset, Layout layout, DType dtype) {
    this.storage = storage;
    this.offset = offset;
    this.layout = layout;
    this.shape = Shape.of(layout.dims());
    this.dtype = dtype;
    this.buffer = storage.buffer.slice(dtype.bytes(offset), dtype.bytes(layout.span()));
    Scope scope = Scope.current();
    if (scope != null) {
      scope.adopt(this);
    }
  }

  // ---- making tensors ---------------------------------------------------------------------------

  /** A row-major tensor with undefined contents. */
  public static Tensor empty(Device device, DType dtype, long... dims) {
    return empty(device, dtype, Layout.contiguous(dims));
  }

  /** A tensor with undefined contents whose elements lie as {@code layout} says. */
  public static Tensor empty(Device device, DType dtype, Layout layout) {
    var storage = new Storage(device.allocate(dtype, layout.span()));
    return new Tensor(storage, 0, layout, dtype);
  }

  /** A tensor of the same shape, layout, dtype and device, with undefined contents. */
  public static Tensor emptyLike(Tensor x) {
    return empty(x.device(), x.dtype, x.isDense() ? x.layout : Layout.contiguous(x.shape.dims()));
  }

  /**
   * A tensor over a buffer that the caller made, from the buffer's start; the tensor owns it from
   * now on.
   *
   * @throws InvalidArgumentException when the buffer is too small or is a slice
   */
  public static Tensor wrap(Buffer buffer, DType dtype, Layout layout) {
    if (buffer.isSlice() || buffer.bytes() < dtype.bytes(layout.span())) {
      throw InvalidArgumentException.of(
          "tensor.wrap",
          "buffer",
          "must own its memory and hold the layout",
          "buffer=%s, layout=%s of %s",
          buffer,
          layout,
          dtype);
    }
    return new Tensor(new Storage(buffer), 0, layout, dtype);
  }

  /**
   * Another tensor over the same memory.
   *
   * @param first the element of this tensor's memory at which the view begins, from this tensor's
   *     first element
   */
  Tensor alias(long first, Layout view) {
    checkOpen("view");
    return new Tensor(storage.share(), Math.addExact(offset, first), view, dtype);
  }

  /** A tensor over the same memory with the same layout and no history. */
  @NotDifferentiable("cuts the history on purpose")
  public Tensor detach() {
    return alias(0, layout);
  }

  // ---- what it is -------------------------------------------------------------------------------

  /** The sizes. */
  public Shape shape() {
    return shape;
  }

  /** The size of one dimension; negative axes count from the last. */
  public long size(int axis) {
    return shape.dim(axis);
  }

  /** Number of dimensions. */
  public int rank() {
    return shape.rank();
  }

  /** Number of elements. */
  public long count() {
    return layout.count();
  }

  /** Sizes and strides, counted from the start of {@link #buffer}. */
  public Layout layout() {
    return layout;
  }

  /** The element type. */
  public DType dtype() {
    return dtype;
  }

  /** Where the memory is. */
  public Device device() {
    return storage.buffer.device();
  }

  /** The stream that this tensor's ops run on. */
  public Stream stream() {
    return device().defaultStream();
  }

  /**
   * The memory, beginning at this tensor's first element: the way down to the op level.
   *
   * @throws ClosedException after close
   */
  public Buffer buffer() {
    checkOpen("tensor.buffer");
    return buffer;
  }

  /** Whether the elements lie row-major without gaps. */
  public boolean isContiguous() {
    return layout.isContiguous();
  }

  /** Whether the elements fill their memory without gaps or repetition, in whatever order. */
  boolean isDense() {
    return layout.span() == layout.count() && !layout.overlapsItself();
  }

  boolean ownsAllMemory() {
    return storage.users() == 1 && isDense();
  }

  // ---- gradients --------------------------------------------------------------------------------

  /** Whether backward reaches this tensor: it is a leaf that asked for it, or was made from one. */
  public boolean requiresGrad() {
    return leafRequiresGrad || node != null;
  }

  /**
   * Makes this leaf collect gradients, or stop.
   *
   * @return this tensor
   * @throws InvalidArgumentException on an integer tensor or on the result of a recorded op
   */
  @NotDifferentiable("marks a leaf; computes nothing")
  public Tensor requiresGrad(boolean wanted) {
    if (node != null || (wanted && !dtype.isFloating())) {
      throw InvalidArgumentException.of(
          "tensor.requiresGrad",
          "tensor",
          "must be a leaf of a floating type",
          "dtype=%s, result of=%s",
          dtype,
          node == null ? "none" : node.op);
    }
    leafRequiresGrad = wanted;
    return this;
  }

  /** The gradient that backward has collected; null before. Belongs to this tensor. */
  @NotDifferentiable("an accessor")
  public @Nullable Tensor grad() {
    return grad;
  }

  /** Forgets the gradient. */
  public void zeroGrad() {
    Tensor g = grad;
    grad = null;
    if (g != null) {
      g.closeIfOpen();
    }
  }

  /**
   * Adds the gradient of this one-element tensor to every leaf that it was computed from.
   *
   * @throws InvalidArgumentException when this tensor has more than one element, or no history
   */
  public void backward() {
    backward(false);
  }

  /** As {@link #backward()}; {@code retainGraph} allows going back through the same ops again. */
  public void backward(boolean retainGraph) {
    if (count() != 1) {
      throw InvalidArgumentException.of(
          "backward",
          "tensor",
          "must have one element (or give the gradient of each: backward(seed, retainGraph))",
          "shape=%s",
          shape);
    }
    checkOpen("backward");
    try (Scope scope = Scope.open()) {
      backward(Tensors.full(device(), dtype, 1, shape.dims()), retainGraph);
    }
  }

  /**
   * Adds the gradient of {@code sum(this * seed)} to every leaf that this tensor was computed from.
   *
   * @param seed of this tensor's shape and dtype
   */
  public void backward(Tensor seed, boolean retainGraph) {
    checkOpen("backward");
    if (!requiresGrad()) {
      throw InvalidArgumentException.of(
          "backward",
          "tensor",
          "must have been computed from a tensor that requires gradients, while recording",
          "tensor=%s",
          this);
    }
    if (!seed.shape.equals(shape) || seed.dtype != dtype) {
      throw InvalidArgumentException.of(
          "backward",
          "seed",
          "must have the tensor's shape and dtype",
          "seed=%s, tensor=%s",
          seed,
          this);
    }
    Autograd.backward(this, seed, retainGraph);
  }

  /** Takes over or adds a gradient that has arrived at this leaf. */
  void addToGrad(Scope scope, Tensor dy) {
    if (grad != null) {
      grad.addInPlace(dy);
    } else if (dy.owner == scope && dy.ownsAllMemory() && dy.layout.equals(layout)) {
      grad = scope.release(dy);
    } else {
      grad = Scope.detached(dy::copy);
    }
  }

  // ---- contents ---------------------------------------------------------------------------------

  /**
   * Copies from host memory, which holds this tensor's elements row-major without gaps.
   *
   * @throws InvalidArgumentException when the size differs or this tensor is not contiguous
   */
  public void copyFrom(MemorySegment source) {
    checkOpen("tensor.copyFrom");
    if (source.byteSize() != dtype.bytes(count()) || !isContiguous()) {
      throw InvalidArgumentException.of(
          "tensor.copyFrom",
          "source",
          "must have the size of a contiguous tensor",
          "source bytes=%d, tensor=%s",
          source.byteSize(),
          this);
    }
    buffer.copyFrom(source);
    changed();
  }

  /**
   * Copies to host memory, row-major without gaps.
   *
   * @throws InvalidArgumentException when the target is not exactly as large
   */
  public void copyTo(MemorySegment target) {
    checkOpen("tensor.copyTo");
    if (target.byteSize() != dtype.bytes(count())) {
      throw InvalidArgumentException.of(
          "tensor.copyTo",
          "target",
          "must have the tensor's size",
          "target bytes=%d, tensor=%s",
          target.byteSize(),
          this);
    }
    if (isContiguous()) {
      buffer.copyTo(target);
    } else {
      try (Scope scope = Scope.open()) {
        Autograd.noGrad(() -> contiguous().buffer.copyTo(target));
      }
    }
  }

  /** The elements, row-major, converted to float as a Java cast does. */
  public float[] toFloatArray() {
    return Hosts.floats(this);
  }

  /** The elements, row-major, converted to double. */
  public double[] toDoubleArray() {
    return Hosts.doubles(this);
  }

  /** The elements, row-major, converted to long as a Java cast does. */
  public long[] toLongArray() {
    return Hosts.longs(this);
  }

  /** The value of a tensor of one element. */
  public double item() {
    if (count() != 1) {
      throw InvalidArgumentException.of(
          "tensor.item", "tensor", "must have one element", "shape=%s", shape);
    }
    return toDoubleArray()[0];
  }

  /** Tells that the contents were changed in place; ops that do so call it. */
  public void changed() {
    storage.changed();
  }

  int version() {
    return storage.version();
  }

  // ---- lifetime ---------------------------------------------------------------------------------

  /** Whether {@link #close} has not been called, by the caller or the owning scope. */
  public boolean isOpen() {
    return !closed;
  }

  /**
   * Frees the memory, if no other open tensor shares it, and the gradient.
   *
   * @throws ClosedException when it has been closed before
   */
  @Override
  public void close() {
    checkOpen("tensor.close");
    closeIfOpen();
  }

  synchronized void closeIfOpen() {
    if (!closed) {
      closed = true;
      zeroGrad();
      storage.release();
    }
  }

  void checkOpen(String op) {
    if (closed) {
      throw new ClosedException(
          op + ": the tensor of shape " + shape + " and dtype " + dtype + " has been closed");
    }
  }

  /** Dtype, shape, device, and the op that made it: no contents. */
  @Override
  public String toString() {
    return dtype
        + shape.toString()
        + " on "
        + device().name()
        + (node == null ? "" : " from " + node.op)
        + (closed ? ", closed" : "");
  }
}
