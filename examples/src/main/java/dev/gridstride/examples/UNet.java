package dev.gridstride.examples;

import dev.gridstride.ConvOptions;
import dev.gridstride.Generator;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.nn.Conv2d;
import dev.gridstride.nn.ConvTranspose2d;
import dev.gridstride.nn.Embedding;
import dev.gridstride.nn.GroupNorm;
import dev.gridstride.nn.Init;
import dev.gridstride.nn.Linear;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.NoiseSchedule;

/**
 * The model of {@link Diffusion}: from 28 x 28 pixels down to 7 x 7 places and up again, with the
 * details from the way down.
 *
 * <p>Every block is told how much noise there is and which digit it was. Ronneberger et al.,
 * "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015.
 */
final class UNet extends Module {
  /** The label of pictures of which the model is not told what they show. */
  static final long UNTOLD = Mnist.CLASSES;

  private static final int CHANNELS = 32;
  private static final int FEATURES = 64;
  private static final int GROUPS = 4;
  private static final ConvOptions SAME = ConvOptions.DEFAULT.withPadding(1);
  private static final ConvOptions HALF = SAME.withStride(2);

  /** {@code fit(x) + f(x, time)}: two convolutions, told between them how much noise there is. */
  private static final class Block extends Module {
    private final Module norm1;
    private final Module conv1;
    private final Module told;
    private final Module norm2;
    private final Module conv2;
    private final Module fit;

    Block(Device device, Generator g, long in, long out) {
      norm1 = child("norm1", new GroupNorm(device, GROUPS, in));
      conv1 = child("conv1", new Conv2d(device, g, in, out, 3, SAME, true));
      told = child("told", new Linear(device, g, FEATURES, out));
      norm2 = child("norm2", new GroupNorm(device, GROUPS, out));
      conv2 = child("conv2", new Conv2d(device, g, out, out, 3, SAME, true));
      fit = child("fit", new Conv2d(device, g, in, out, 1));
    }

    Tensor forward(Tensor x, Tensor what) {
      Tensor shift = told.forward(what).unsqueeze(-1).unsqueeze(-1);
      Tensor h = conv1.forward(norm1.forward(x).silu()).add(shift);
      return conv2.forward(norm2.forward(h).silu()).add(fit.forward(x));
    }

    @Override
    public Tensor forward(Tensor x) {
      throw new UsageException("a block must be told about the noise: forward(x, what)");
    }
  }

  private final Module stem;
  private final Block down;
  private final Module half;
  private final Block middle1;
  private final Block middle2;
  private final Module twice;
  private final Block up;
  private final Module norm;
  private final Module end;
  private final Tensor waves;
  private final Module time;
  private final Module digits;

  UNet(Device device, Generator g, NoiseSchedule schedule) {
    long c = CHANNELS;
    stem = child("stem", new Conv2d(device, g, 1, c, 4, HALF, true));
    down = child("down", new Block(device, g, c, c));
    half = child("half", new Conv2d(device, g, c, 2 * c, 4, HALF, true));
    middle1 = child("middle1", new Block(device, g, 2 * c, 2 * c));
    middle2 = child("middle2", new Block(device, g, 2 * c, 2 * c));
    twice = child("twice", new ConvTranspose2d(device, g, 2 * c, c, 4, HALF, true));
    up = child("up", new Block(device, g, 2 * c, c));
    norm = child("norm", new GroupNorm(device, GROUPS, c));
    end = child("end", new ConvTranspose2d(device, g, c, 1, 4, HALF, true));
    long times = schedule.steps() + 1L;
    waves = buffer("waves", () -> Init.sinusoidal(device, DType.F32, times, FEATURES));
    time = child("time", new Linear(device, g, FEATURES, FEATURES));
    digits = child("digits", new Embedding(device, g, Mnist.CLASSES + 1, FEATURES));
  }

  /**
   * The velocities in noisy pictures z [n, 1, h, w] after {@code steps} [n] steps of noise; with
   * {@code labels} [n], of a digit or {@link #UNTOLD}.
   */
  Tensor forward(Tensor z, Tensor steps, Tensor labels) {
    Tensor what = time.forward(waves.embedding(steps)).silu().add(digits.forward(labels));
    Tensor large = down.forward(stem.forward(z.channelsLast()), what);
    Tensor small = middle1.forward(half.forward(large), what);
    Tensor x = twice.forward(middle2.forward(small, what));
    x = up.forward(Tensors.concat(1, x, large), what);
    return end.forward(norm.forward(x).silu());
  }

  @Override
  public Tensor forward(Tensor z) {
    throw new UsageException("the model must be told: forward(z, steps, labels)");
  }
}
