package dev.gridstride.examples;

final class DiffusionTest extends DrawnDigitsTest {
  DiffusionTest() {
    super("diffusion", "steps.png");
  }
}
