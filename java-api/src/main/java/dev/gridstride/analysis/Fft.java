package dev.gridstride.analysis;

import dev.gridstride.device.InvalidArgumentException;

/**
 * The discrete Fourier transform of one length, a power of two, in double on the host: {@code X[k]
 * = sum over t of x[t] exp(-2 pi i k t / n)}.
 *
 * <p>Radix 2, in place, with a table of roots of unity; {@code O(n log n)}, an error of about
 * {@code log2(n)} roundings. Cooley and Tukey, "An Algorithm for the Machine Calculation of Complex
 * Fourier Series", 1965. Immutable and thread-safe.
 */
public final class Fft {
  private final int length;
  private final double[] cos;
  private final double[] sin;

  /**
   * A transform.
   *
   * @param length a power of two, at least 1
   */
  public Fft(int length) {
    if (length < 1 || Integer.bitCount(length) != 1) {
      throw InvalidArgumentException.of(
          "fft", "length", "must be a power of two", "length=%d", length);
    }
    this.length = length;
    cos = new double[length / 2];
    sin = new double[length / 2];
    for (int k = 0; k < length / 2; k++) {
      double angle = -2 * Math.PI * k / length;
      cos[k] = Math.cos(angle);
      sin[k] = Math.sin(angle);
    }
  }

  /** The length. */
  public int length() {
    return length;
  }

  /**
   * Transforms in place.
   *
   * @param re real parts, {@code length} of them
   * @param im imaginary parts, likewise
   */
  public void forward(double[] re, double[] im) {
    check(re, im);
    reorder(re, im);
    for (int half = 1; half < length; half *= 2) {
      int stride = length / (2 * half);
      for (int from = 0; from < length; from += 2 * half) {
        for (int k = 0; k < half; k++) {
          int a = from + k;
          int b = a + half;
          double wr = cos[k * stride];
          double wi = sin[k * stride];
          double r = re[b] * wr - im[b] * wi;
          double i = re[b] * wi + im[b] * wr;
          re[b] = re[a] - r;
          im[b] = im[a] - i;
          re[a] += r;
          im[a] += i;
        }
      }
    }
  }

  /** Undoes {@link #forward} in place: the transform with the opposite sign, divided by length. */
  public void inverse(double[] re, double[] im) {
    forward(im, re); // exchanging the parts of argument and result turns the sign of the angle
    for (int i = 0; i < length; i++) {
      re[i] /= length;
      im[i] /= length;
    }
  }

  private void check(double[] re, double[] im) {
    if (re.length != length || im.length != length) {
      throw InvalidArgumentException.of(
          "fft",
          "re and im",
          "must have the transform's length",
          "re.length=%d, im.length=%d, length=%d",
          re.length,
          im.length,
          length);
    }
  }

  /** Puts every element where the bits of its place, read backwards, say. */
  private void reorder(double[] re, double[] im) {
    int zeros = Integer.numberOfLeadingZeros(length) + 1;
    for (int i = 1; i < length; i++) {
      int j = Integer.reverse(i) >>> zeros;
      if (i < j) {
        double r = re[i];
        re[i] = re[j];
        re[j] = r;
        double m = im[i];
        im[i] = im[j];
        im[j] = m;
      }
    }
  }
}
