package dev.gridstride.cuda;

import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A library of NVIDIA's that may or may not be installed: looked for when it is first needed.
 *
 * <p>A file or folder that the system property {@code gridstride.library.NAME} names is the only
 * one tried; {@code none} switches the library off. Else the loader's own search, with the newest
 * major version first, then the folders of a CUDA toolkit.
 */
final class VendorLibrary {
  /**
   * What was found.
   *
   * @param symbols its functions; null when there is none that can be used
   * @param file what was loaded
   * @param reason the sentence that says why there is none
   */
  record Found(@Nullable SymbolLookup symbols, String file, String reason) {}

  private final String name;
  private final List<String> files;
  private final Function<String, @Nullable String> properties;
  private final List<Path> folders;

  /**
   * A library to look for.
   *
   * @param name as in its property
   * @param files file names, the preferred one first
   */
  VendorLibrary(String name, String... files) {
    this(name, List.of(files), System::getProperty, toolkits(System.getenv("CUDA_PATH")));
  }

  VendorLibrary(
      String name,
      List<String> files,
      Function<String, @Nullable String> properties,
      List<Path> folders) {
    this.name = name;
    this.files = files;
    this.properties = properties;
    this.folders = folders;
  }

  private static List<Path> toolkits(@Nullable String cudaPath) {
    var roots = new ArrayList<Path>();
    if (cudaPath != null && Path.of(cudaPath).isAbsolute()) {
      roots.add(Path.of(cudaPath));
    }
    roots.add(Path.of("/usr/local/cuda"));
    return roots.stream().map(root -> root.resolve("lib64")).toList();
  }

  /** Looks for it; never throws for a machine that lacks it. */
  Found find() {
    String property = "gridstride.library." + name;
    String named = properties.apply(property);
    try {
      if (named == null) {
        return search(property);
      }
      if (named.equals("none")) {
        return refused("switched off by " + property);
      }
      return named(Path.of(named).toAbsolutePath(), property);
    } catch (IllegalCallerException denied) {
      return refused(Libraries.ACCESS_DENIED);
    } catch (LibraryException broken) {
      return refused(broken.getMessage());
    }
  }

  private Found named(Path path, String property) {
    List<Path> candidates =
        Files.isDirectory(path) ? files.stream().map(path::resolve).toList() : List.of(path);
    for (Path file : candidates) {
      if (Files.isRegularFile(file)) {
        try {
          return new Found(Loader.open(file), file.toString(), "");
        } catch (LibraryException refused) {
          throw new LibraryException(
              file + ", named by " + property + ", can't be used: " + refused.getMessage());
        }
      }
    }
    return refused(path + ", named by " + property + ", does not exist or has none of " + files);
  }

  private Found search(String property) {
    for (String file : files) {
      SymbolLookup symbols = tryOpen(file);
      if (symbols != null) {
        return new Found(symbols, file, "");
      }
    }
    for (Path folder : folders) {
      for (String file : files) {
        Path path = folder.resolve(file);
        if (Files.isRegularFile(path)) {
          try {
            return new Found(Loader.open(path), path.toString(), "");
          } catch (LibraryException refused) {
            throw new LibraryException(path + " can't be used: " + refused.getMessage());
          }
        }
      }
    }
    return refused(
        "not found ("
            + String.join(", ", files)
            + "); "
            + property
            + " may name its file or folder");
  }

  private static @Nullable SymbolLookup tryOpen(String file) {
    try {
      return Loader.search(file);
    } catch (LibraryException notThere) {
      return null; // the next name is tried, and the last sentence names them all
    }
  }

  private static Found refused(String reason) {
    return new Found(null, "", reason);
  }
}
