package dev.gridstride.analysis;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.InvalidArgumentException;

/**
 * Sound as a picture of time and pitch: how loud, on a logarithmic scale, each band of frequencies
 * is in each short piece of it.
 *
 * <p>A frame of {@code window} samples begins every {@code hop} samples; only whole frames count.
 * Each is multiplied by Hann's window {@code (1 - cos(2 pi t / window)) / 2}, filled up with zeros
 * to a power of two and transformed ({@link Fft}); the squares of the magnitudes are summed with
 * triangular weights, whose corners lie evenly on the mel scale {@code 2595 log10(1 + f / 700)};
 * the result is the natural logarithm of the sum, of at least {@code 1e-10}. Computed in double on
 * the host. Davis and Mermelstein, "Comparison of Parametric Representations for Monosyllabic Word
 * Recognition", 1980; O'Shaughnessy's mel scale, 1987. Immutable and thread-safe.
 */
public final class MelSpectrogram {
  /** Power below which the logarithm would tell of rounding and silence only. */
  private static final double LEAST = 1e-10;

  private final int window;
  private final int hop;
  private final Fft fft;
  private final double[] hann;
  private final double[][] filters; // a row for each band, of weights of the frequencies k

  /**
   * A spectrogram.
   *
   * @param rate samples a second, positive
   * @param window samples in a frame, at least 1
   * @param hop samples from frame to frame, at least 1
   * @param bands number of bands, at least 1
   * @param low lower end of the first band in Hz, not negative
   * @param high upper end of the last band in Hz, above low, at most half the rate
   * @throws InvalidArgumentException when a rule is broken, or a band is so narrow that no
   *     frequency of the transform falls into it
   */
  public MelSpectrogram(int rate, int window, int hop, int bands, double low, double high) {
    boolean sizes = rate >= 1 && window >= 1 && window <= 1 << 20 && hop >= 1 && bands >= 1;
    if (!sizes || !(low >= 0 && low < high && high <= rate / 2.0)) {
      throw InvalidArgumentException.of(
          "melSpectrogram",
          "arguments",
          "must be positive sizes, a window of at most 2^20, and 0 <= low < high <= rate / 2",
          "rate=%d, window=%d, hop=%d, bands=%d, low=%s, high=%s",
          rate,
          window,
          hop,
          bands,
          low,
          high);
    }
    this.window = window;
    this.hop = hop;
    fft = new Fft(window == 1 ? 1 : 2 * Integer.highestOneBit(window - 1));
    hann = new double[window];
    for (int t = 0; t < window; t++) {
      hann[t] = 0.5 * (1 - Math.cos(2 * Math.PI * t / window));
    }
    filters = filters(rate, fft.length(), bands, low, high);
  }

  private static double[][] filters(int rate, int length, int bands, double low, double high) {
    var corner = new double[bands + 2];
    for (int b = 0; b < corner.length; b++) {
      corner[b] = hertz(mel(low) + (mel(high) - mel(low)) * b / (bands + 1));
    }
    var filters = new double[bands][length / 2 + 1];
    for (int b = 0; b < bands; b++) {
      double sum = 0;
      for (int k = 0; k <= length / 2; k++) {
        double f = (double) k * rate / length;
        double rise = (f - corner[b]) / (corner[b + 1] - corner[b]);
        double fall = (corner[b + 2] - f) / (corner[b + 2] - corner[b + 1]);
        filters[b][k] = Math.max(0, Math.min(rise, fall));
        sum += filters[b][k];
      }
      if (sum == 0) {
        throw InvalidArgumentException.of(
            "melSpectrogram",
            "bands",
            "must each hold a frequency of the transform: take fewer bands or a longer window",
            "band=%d of %d, from %.1f to %.1f Hz, frequencies every %.1f Hz",
            b,
            bands,
            corner[b],
            corner[b + 2],
            (double) rate / length);
      }
    }
    return filters;
  }

  private static double mel(double hertz) {
    return 2595 * Math.log10(1 + hertz / 700);
  }

  private static double hertz(double mel) {
    return 700 * (Math.pow(10, mel / 2595) - 1);
  }

  /** Number of bands. */
  public int bands() {
    return filters.length;
  }

  /** Number of frames of a sound of so many samples. */
  public long frames(long samples) {
    return samples < window ? 0 : 1 + (samples - window) / hop;
  }

  /**
   * The spectrogram of a sound.
   *
   * @param samples of a floating type, {@code [n]}
   * @return f32 {@code [frames, bands]} on the device of the samples, without a gradient
   */
  public Tensor of(Tensor samples) {
    if (samples.rank() != 1 || !samples.dtype().isFloating()) {
      throw InvalidArgumentException.of(
          "melSpectrogram", "samples", "must be [n] of a floating type", "samples=%s", samples);
    }
    double[] x = samples.toDoubleArray();
    int frames = Math.toIntExact(frames(x.length));
    var values = new float[Math.multiplyExact(frames, bands())];
    for (int frame = 0; frame < frames; frame++) {
      frame(x, frame * hop, values, frame * bands());
    }
    return Tensors.of(samples.device(), values, frames, bands());
  }

  private void frame(double[] x, int from, float[] into, int at) {
    var re = new double[fft.length()];
    var im = new double[fft.length()];
    for (int t = 0; t < window; t++) {
      re[t] = x[from + t] * hann[t];
    }
    fft.forward(re, im);
    for (int b = 0; b < bands(); b++) {
      double[] filter = filters[b];
      double power = 0;
      for (int k = 0; k < filter.length; k++) {
        power += filter[k] * (re[k] * re[k] + im[k] * im[k]);
      }
      // not max first: a NaN must show
      into[at + b] = (float) Math.log(power < LEAST ? LEAST : power);
    }
  }
}
