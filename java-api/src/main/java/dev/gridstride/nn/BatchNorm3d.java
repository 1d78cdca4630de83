package dev.gridstride.nn;

import dev.gridstride.Tensor;
import dev.gridstride.device.Device;

/**
 * Batch normalization of volumes {@code [n, channels, d, h, w]}: each channel by its mean and
 * variance over the batch in training, and by running averages of them in evaluation.
 *
 * <p>Parameters {@code weight} and {@code bias [channels]}, buffers {@code running_mean}, {@code
 * running_var [channels]} (of the unbiased variance) and {@code num_batches_tracked}; f32 and i64,
 * named, initialised and updated as PyTorch does. Training refuses a batch with a single element in
 * a channel. See {@link dev.gridstride.kernels.BatchNorm} for the formula; Ioffe and Szegedy,
 * "Batch Normalization", 2015.
 */
public final class BatchNorm3d extends BatchNorm {
  /** {@link BatchNormOptions#DEFAULT}. */
  public BatchNorm3d(Device device, long channels) {
    this(device, channels, BatchNormOptions.DEFAULT);
  }

  /** Any options. */
  public BatchNorm3d(Device device, long channels, BatchNormOptions options) {
    super("batchNorm3d", device, channels, options);
  }

  @Override
  void checkRank(Tensor x) {
    Windows.checkRank("batchNorm3d", x, 3);
  }
}
