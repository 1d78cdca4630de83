package dev.gridstride.device;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** {@link Buffer#pin} for all operands of an op, of which some may be missing. */
public final class Pins {
  private Pins() {}

  /** Pins all of {@code buffers}, skipping nulls; pins none when one is closed. */
  public static void pinAll(String op, @Nullable Buffer[] buffers) {
    Capture capture = Capture.current();
    if (capture != null) {
      for (Buffer b : buffers) {
        if (b != null) {
          capture.check(op, b);
        }
      }
    }
    for (int i = 0; i < buffers.length; i++) {
      if (!pins(buffers[i])) {
        throw undone(op, i, buffers);
      }
    }
    if (capture != null) {
      for (Buffer b : buffers) {
        if (b != null) {
          capture.keep(b.lifetime());
        }
      }
    }
  }

  private static boolean pins(@Nullable Buffer b) {
    return b == null || b.lifetime().pin();
  }

  /** Unpins the first ones, since the next one is closed. */
  private static ClosedException undone(String op, int pinned, @Nullable Buffer[] buffers) {
    for (int i = 0; i < pinned; i++) {
      unpin(buffers[i]);
    }
    return Objects.requireNonNull(buffers[pinned]).closed(op);
  }

  /** Ends one {@code pinAll} of the same buffers. */
  public static void unpinAll(@Nullable Buffer[] buffers) {
    for (Buffer b : buffers) {
      unpin(b);
    }
  }

  private static void unpin(@Nullable Buffer b) {
    if (b != null) {
      b.unpin();
    }
  }

  // The same for the operands of most ops, without an array: running a plan allocates nothing.

  /** As {@link #pinAll(String, Buffer[])}. */
  public static void pinAll(
      String op,
      @Nullable Buffer a,
      @Nullable Buffer b,
      @Nullable Buffer c,
      @Nullable Buffer d,
      @Nullable Buffer e,
      @Nullable Buffer f,
      @Nullable Buffer g,
      @Nullable Buffer h) {
    if (Capture.current() != null) {
      pinAll(op, new @Nullable Buffer[] {a, b, c, d, e, f, g, h});
      return;
    }
    int pinned =
        !pins(a)
            ? 0
            : !pins(b)
                ? 1
                : !pins(c)
                    ? 2
                    : !pins(d) ? 3 : !pins(e) ? 4 : !pins(f) ? 5 : !pins(g) ? 6 : !pins(h) ? 7 : 8;
    if (pinned < 8) {
      throw undone(op, pinned, new @Nullable Buffer[] {a, b, c, d, e, f, g, h});
    }
  }

  /** Ends one {@code pinAll} of the same buffers. */
  public static void unpinAll(
      @Nullable Buffer a,
      @Nullable Buffer b,
      @Nullable Buffer c,
      @Nullable Buffer d,
      @Nullable Buffer e,
      @Nullable Buffer f,
      @Nullable Buffer g,
      @Nullable Buffer h) {
    unpin(a);
    unpin(b);
    unpin(c);
    unpin(d);
    unpin(e);
    unpin(f);
    unpin(g);
    unpin(h);
  }

  /** As {@link #pinAll(String, Buffer[])}. */
  public static void pinAll(String op, @Nullable Buffer a, @Nullable Buffer b) {
    pinAll(op, a, b, null, null, null, null, null, null);
  }

  /** Ends one {@code pinAll} of the same buffers. */
  public static void unpinAll(@Nullable Buffer a, @Nullable Buffer b) {
    unpinAll(a, b, null, null, null, null, null, null);
  }

  /** As {@link #pinAll(String, Buffer[])}. */
  public static void pinAll(String op, @Nullable Buffer a, @Nullable Buffer b, @Nullable Buffer c) {
    pinAll(op, a, b, c, null, null, null, null, null);
  }

  /** Ends one {@code pinAll} of the same buffers. */
  public static void unpinAll(@Nullable Buffer a, @Nullable Buffer b, @Nullable Buffer c) {
    unpinAll(a, b, c, null, null, null, null, null);
  }

  /** As {@link #pinAll(String, Buffer[])}. */
  public static void pinAll(
      String op, @Nullable Buffer a, @Nullable Buffer b, @Nullable Buffer c, @Nullable Buffer d) {
    pinAll(op, a, b, c, d, null, null, null, null);
  }

  /** Ends one {@code pinAll} of the same buffers. */
  public static void unpinAll(
      @Nullable Buffer a, @Nullable Buffer b, @Nullable Buffer c, @Nullable Buffer d) {
    unpinAll(a, b, c, d, null, null, null, null);
  }

  /** As {@link #pinAll(String, Buffer[])}. */
  public static void pinAll(
      String op,
      @Nullable Buffer a,
      @Nullable Buffer b,
      @Nullable Buffer c,
      @Nullable Buffer d,
      @Nullable Buffer e) {
    pinAll(op, a, b, c, d, e, null, null, null);
  }

  /** Ends one {@code pinAll} of the same buffers. */
  public static void unpinAll(
      @Nullable Buffer a,
      @Nullable Buffer b,
      @Nullable Buffer c,
      @Nullable Buffer d,
      @Nullable Buffer e) {
    unpinAll(a, b, c, d, e, null, null, null);
  }

  /** As {@link #pinAll(String, Buffer[])}. */
  public static void pinAll(
      String op,
      @Nullable Buffer a,
      @Nullable Buffer b,
      @Nullable Buffer c,
      @Nullable Buffer d,
      @Nullable Buffer e,
      @Nullable Buffer f) {
    pinAll(op, a, b, c, d, e, f, null, null);
  }

  /** Ends one {@code pinAll} of the same buffers. */
  public static void unpinAll(
      @Nullable Buffer a,
      @Nullable Buffer b,
      @Nullable Buffer c,
      @Nullable Buffer d,
      @Nullable Buffer e,
      @Nullable Buffer f) {
    unpinAll(a, b, c, d, e, f, null, null);
  }
}
