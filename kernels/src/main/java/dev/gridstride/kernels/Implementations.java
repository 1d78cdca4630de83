package dev.gridstride.kernels;

import dev.gridstride.cuda.VendorChoice;
import dev.gridstride.device.Device;
import dev.gridstride.device.Explanation.Refusal;
import dev.gridstride.device.Op;
import dev.gridstride.device.Support;
import dev.gridstride.device.UnsupportedException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An op's implementations in order of preference; the first that accepts a description is used.
 *
 * @param <S> the op's description
 * @param <K> the op's kernel contract
 */
final class Implementations<S extends Op<?>, K extends DeviceKernel> {
  private final List<Implementation<S, K>> list;

  private Implementations(List<Implementation<S, K>> list) {
    this.list = list;
  }

  @SafeVarargs
  @SuppressWarnings("varargs") // the list is only read
  static <S extends Op<?>, K extends DeviceKernel> Implementations<S, K> of(
      Implementation<S, K>... list) {
    return new Implementations<>(List.of(list));
  }

  /**
   * The same with vendors' implementations: behind Gridstride's own, or before them when {@code
   * -Dgridstride.vendor} names them.
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // the list is only read
  final Implementations<S, K> withVendors(Implementation<S, K>... vendors) {
    return withVendors(VendorChoice.GIVEN, List.of(vendors));
  }

  Implementations<S, K> withVendors(VendorChoice choice, List<Implementation<S, K>> vendors) {
    return new Implementations<>(choice.order(list, vendors, Implementation::name));
  }

  /** Names in the order in which they are tried. */
  List<String> names() {
    return list.stream().map(Implementation::name).toList();
  }

  /** The chosen implementation, prepared, with the refusals that came before it. */
  record Selection<K>(String name, K kernel, List<Refusal> refused) {}

  Support supports(S spec, Device device) {
    var refused = new ArrayList<Refusal>();
    return find(spec, device, refused) == null ? Support.no(reason(refused)) : Support.YES;
  }

  Selection<K> select(S spec, Device device) {
    var refused = new ArrayList<Refusal>();
    Implementation<S, K> found = find(spec, device, refused);
    if (found == null) {
      throw new UnsupportedException(
          spec.name() + ": not supported on " + device.name() + ": " + reason(refused));
    }
    return new Selection<>(found.name(), found.prepare().on(spec, device), refused);
  }

  private @Nullable Implementation<S, K> find(S spec, Device device, List<Refusal> refused) {
    for (Implementation<S, K> i : list) {
      if (!i.runsOn(device.kind())) {
        continue;
      }
      switch (i.accepts().apply(spec, device)) {
        case Support.Supported yes -> {
          return i;
        }
        case Support.Unsupported no -> refused.add(new Refusal(i.name(), no.reason()));
      }
    }
    return null;
  }

  private static String reason(List<Refusal> refused) {
    if (refused.isEmpty()) {
      return "no implementation for this kind of device";
    }
    var text = new ArrayList<String>();
    refused.forEach(r -> text.add(r.implementation() + ": " + r.reason()));
    return String.join("; ", text);
  }
}
