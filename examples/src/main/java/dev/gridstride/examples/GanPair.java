package dev.gridstride.examples;

import dev.gridstride.ConvOptions;
import dev.gridstride.Generator;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.Digits;
import dev.gridstride.nn.Averaged;
import dev.gridstride.nn.BatchNorm2d;
import dev.gridstride.nn.Conv2d;
import dev.gridstride.nn.ConvTranspose2d;
import dev.gridstride.nn.Dropout;
import dev.gridstride.nn.Layer;
import dev.gridstride.nn.LeakyReLU;
import dev.gridstride.nn.Linear;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.Sequential;

/** The model of {@link Gan}: both networks, and the average of the generator's last states. */
final class GanPair extends Module {
  /** Random numbers for a picture. */
  static final int NOISE = 64;

  private static final int CHANNELS = 64;
  private static final double AVERAGE_DECAY = 0.998;
  private static final ConvOptions HALF = ConvOptions.DEFAULT.withStride(2).withPadding(1);

  final Averaged<Sequential> generator;
  final Module discriminator;

  GanPair(Device device, Generator g, Digits like) {
    int h = like.height() / 4;
    int w = like.width() / 4;
    generator = child("generator", Averaged.of(() -> generator(device, g, h, w), AVERAGE_DECAY));
    discriminator = child("discriminator", discriminator(device, g, h, w));
  }

  /** Pictures of the digits {@code labels} [n], one-hot, made of as many rows of noise. */
  Tensor make(Tensor noise, Tensor labels) {
    return generator.forward(Tensors.concat(1, noise, labels));
  }

  /** Whether the pictures are real ones of the digits {@code labels}: logits [n]. */
  Tensor isReal(Tensor pictures, Tensor labels) {
    return discriminator.forward(pictures).mul(labels).sum(1);
  }

  @Override
  public Tensor forward(Tensor x) {
    throw new UnsupportedOperationException("use make(noise, labels) and isReal(x, labels)");
  }

  /** From noise and a digit to h x w places, to pictures of four times that size. */
  private static Sequential generator(Device device, Generator g, int h, int w) {
    long c = CHANNELS;
    return new Sequential(
        new Linear(device, g, NOISE + Mnist.CLASSES, c * h * w),
        new Layer(x -> x.reshape(x.size(0), c, h, w).channelsLast()),
        new BatchNorm2d(device, c),
        new Layer(Tensor::relu),
        new ConvTranspose2d(device, g, c, c / 2, 4, HALF, true),
        new BatchNorm2d(device, c / 2),
        new Layer(Tensor::relu),
        new ConvTranspose2d(device, g, c / 2, 1, 4, HALF, true),
        new Layer(Tensor::tanh));
  }

  /** The way back, from a picture to an answer for each digit: is it a real 0, a real 1, ...? */
  private static Module discriminator(Device device, Generator g, int h, int w) {
    long c = CHANNELS;
    return new Sequential(
        new Layer(Tensor::channelsLast),
        new Conv2d(device, g, 1, c / 2, 4, HALF, true),
        new LeakyReLU(0.2),
        new Conv2d(device, g, c / 2, c, 4, HALF, true),
        new LeakyReLU(0.2),
        new Dropout(g, 0.3),
        new Layer(x -> x.flatten(1)),
        new Linear(device, g, c * h * w, Mnist.CLASSES));
  }
}
