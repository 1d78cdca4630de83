package dev.gridstride.examples;

final class GanTest extends DrawnDigitsTest {
  GanTest() {
    super("gan", "epoch-01.png", "epoch-02.png");
  }
}
