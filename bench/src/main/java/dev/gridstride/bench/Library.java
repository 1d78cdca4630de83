package dev.gridstride.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;

/** A library that is measured, ours or a peer. Peers outside of this module are services. */
public interface Library {
  /** As {@code --peers} and the results name it. */
  String name();

  /** Whether it can do this case. */
  boolean offers(Case c);

  /**
   * Prepares a case that it offers.
   *
   * @param p the case's operands and results
   */
  Contender prepare(Case c, Problem p);

  /** Gives back memory that it keeps for later; called when a case is done. */
  default void trim() {}

  /** What the library reports of itself, as version, core and threads. */
  Map<String, String> about();

  /** All libraries on this class path. */
  static List<Library> all() {
    var all = new ArrayList<Library>();
    all.add(new Gridstride());
    all.add(new PlainJava());
    all.add(new Ejml());
    ServiceLoader.load(Library.class).forEach(all::add);
    return all;
  }

  /** The library of this name. */
  static Library named(String name) {
    return all().stream()
        .filter(l -> l.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new BadUsage("no library '" + name + "' on the class path"));
  }
}
