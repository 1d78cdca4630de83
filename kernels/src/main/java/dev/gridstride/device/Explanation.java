package dev.gridstride.device;

import java.util.List;

/**
 * Why a plan runs the way it does.
 *
 * @param op name of the op
 * @param device name of the device
 * @param implementation name of the implementation that was chosen
 * @param details what it chose for itself, as tile sizes; may be empty
 * @param workspaceBytes workspace that the plan needs
 * @param refused the implementations that come earlier in the list, with their reasons
 */
public record Explanation(
    String op,
    String device,
    String implementation,
    String details,
    long workspaceBytes,
    List<Refusal> refused) {
  /** An implementation that was not chosen; {@code reason} is one sentence. */
  public record Refusal(String implementation, String reason) {}

  /** Copies the list. */
  public Explanation {
    refused = List.copyOf(refused);
  }

  /** One line for the choice, one for each refusal. */
  @Override
  public String toString() {
    var text = new StringBuilder(op).append(" on ").append(device).append(": ");
    text.append(implementation);
    if (!details.isEmpty()) {
      text.append(" (").append(details).append(')');
    }
    text.append(", workspace ").append(workspaceBytes).append(" bytes");
    for (var r : refused) {
      text.append(System.lineSeparator()).append("  refused ").append(r.implementation());
      text.append(": ").append(r.reason());
    }
    return text.toString();
  }
}
