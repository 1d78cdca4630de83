package dev.gridstride.device;

/** Whether a device can carry out an op, and why not if it can't. */
public sealed interface Support {
  /** The op can be planned. */
  record Supported() implements Support {}

  /** The op is valid but can't be planned here; {@code reason} is one sentence. */
  record Unsupported(String reason) implements Support {}

  /** The positive answer. */
  Support YES = new Supported();

  /** The negative answer with its reason. */
  static Support no(String reason) {
    return new Unsupported(reason);
  }
}
