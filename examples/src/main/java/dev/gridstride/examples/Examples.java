package dev.gridstride.examples;

import java.util.List;
import java.util.Optional;

/** The examples that the command line knows. A new one is added to this list and nowhere else. */
public final class Examples {
  /** All of them, in the order in which they are best read. */
  public static final List<Example> ALL =
      List.of(
          new Housing(),
          TwoClasses.cancer(),
          TwoClasses.spam(),
          new MnistMlp(),
          new Mnist(),
          new Denoise(),
          new Identify(),
          new Cifar10Net(),
          new AlexNet(),
          new Detect(),
          new Gan(),
          new Diffusion(),
          new Pca(),
          new Segments(),
          new Recommend(),
          new ReadReviews(),
          new Speech(),
          new Translate(),
          new Gpt(),
          new GridWorldAgent(),
          new ConnectFourPlayer());

  private Examples() {}

  /** The example of this name. */
  public static Optional<Example> find(String name) {
    return ALL.stream().filter(e -> e.name().equals(name)).findFirst();
  }
}
