package dev.gridstride.cuda;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Finds the library of a backend: the file that the system property {@code
 * gridstride.library.BACKEND} names, else the resource {@code
 * META-INF/native/PLATFORM/libgridstride_BACKEND.so} on the class path.
 *
 * <p>A file with a {@code .sha256} beside it, and always a resource, is compared with that SHA-256
 * first. A resource is copied to a folder of its own, readable by this user only, loaded by its
 * absolute path and deleted again.
 */
final class Libraries {
  /** What was found: a library, or the sentence that says why there is none. */
  record Found(@Nullable Library library, String reason) {}

  private static final System.Logger LOG = System.getLogger("dev.gridstride");
  private static final String OTHER = "; -Djava.io.tmpdir=... names another folder";

  static final String ACCESS_DENIED =
      "native access is denied; start java with --enable-native-access=ALL-UNNAMED"
          + " (or =dev.gridstride.kernels)";

  private final Function<String, @Nullable String> properties;
  private final Function<String, @Nullable InputStream> resources;

  /** With the JVM's properties and the class path. */
  Libraries() {
    // by the loader: the libraries travel in a jar of their own, outside this class's module
    this(System::getProperty, Libraries.class.getClassLoader()::getResourceAsStream);
  }

  Libraries(
      Function<String, @Nullable String> properties,
      Function<String, @Nullable InputStream> resources) {
    this.properties = properties;
    this.resources = resources;
  }

  /** The operating system and processor, as the resource folder is named: {@code linux-x86_64}. */
  static String platform() {
    String os = System.getProperty("os.name", "unknown").toLowerCase(Locale.ROOT);
    String processor = System.getProperty("os.arch", "unknown");
    return os + "-" + (processor.equals("amd64") ? "x86_64" : processor);
  }

  /** Looks for the library of {@code backend}, {@code cuda} or {@code emulator}; never throws. */
  Found find(String backend) {
    String property = "gridstride.library." + backend;
    String named = properties.apply(property);
    String where = named == null ? "the library in the jar" : "the library " + named;
    try {
      if (named == null) {
        return fromJar(backend, property);
      }
      Path file = Path.of(named);
      if (!Files.isRegularFile(file)) {
        return new Found(null, where + ", named by " + property + ", does not exist");
      }
      Path sum = file.resolveSibling(file.getFileName() + ".sha256");
      if (Files.exists(sum)) {
        check(Files.readAllBytes(file), Files.readString(sum));
      }
      return new Found(Library.load(file, backend), where);
    } catch (LibraryException unusable) {
      return new Found(null, where + " can't be used: " + unusable.getMessage());
    } catch (IOException | UncheckedIOException | InvalidPathException unreadable) {
      return new Found(null, where + " can't be read: " + unreadable);
    } catch (IllegalCallerException denied) {
      return new Found(null, where + " can't be used: " + ACCESS_DENIED);
    }
  }

  private Found fromJar(String backend, String property) throws IOException {
    String name = "libgridstride_" + backend + ".so";
    String resource = "META-INF/native/" + platform() + "/" + name;
    byte[] content = read(resource);
    byte[] sum = content == null ? null : read(resource + ".sha256");
    if (content == null) {
      return new Found(
          null,
          "the library has not been built (no "
              + resource
              + " on the class path; "
              + property
              + " may name it instead)"
              + (backend.equals("cuda") ? "; building it takes nvcc of CUDA 13" : ""));
    }
    if (sum == null) {
      throw new LibraryException("it has no SHA-256 beside it");
    }
    check(content, new String(sum, StandardCharsets.UTF_8));
    return new Found(extractAndLoad(backend, name, content), "the library in the jar");
  }

  private Library extractAndLoad(String backend, String name, byte[] content) {
    Path parent = Path.of(requireNonNull(properties.apply("java.io.tmpdir")));
    Path folder = null;
    Path file = null;
    try {
      // new, and for this user only: nothing can have been planted there, and nothing can be
      folder = Files.createTempDirectory(parent, "gridstride-");
      file = Files.write(folder.resolve(name), content, StandardOpenOption.CREATE_NEW);
      return Library.load(file, backend);
    } catch (IOException failed) {
      throw new LibraryException(
          "it can't be extracted to " + parent + " (" + failed + ")" + OTHER);
    } catch (LibraryException refused) {
      // what the loader says of a file system that is mounted noexec
      String reason = refused.getMessage();
      throw reason.contains("failed to map segment")
          ? new LibraryException(reason + "; " + parent + " may forbid execution" + OTHER)
          : refused;
    } finally {
      delete(file);
      delete(folder);
    }
  }

  /** What is left behind in the folder for temporary files does no harm. */
  private static void delete(@Nullable Path path) {
    try {
      if (path != null) {
        Files.deleteIfExists(path);
      }
    } catch (IOException left) {
      LOG.log(Level.DEBUG, "gridstride: can't delete " + path, left);
    }
  }

  private byte @Nullable [] read(String resource) throws IOException {
    try (InputStream in = resources.apply(resource)) {
      return in == null ? null : in.readAllBytes();
    }
  }

  /** {@code expected} begins with 64 hexadecimal digits, as sha256sum writes them. */
  private static void check(byte[] content, String expected) {
    String found;
    try {
      found = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException missing) {
      throw new LibraryException("this JVM has no SHA-256");
    }
    if (!expected.strip().split("\\s+", 2)[0].equalsIgnoreCase(found)) {
      throw new LibraryException("its SHA-256 is not the recorded one: it has been altered");
    }
  }
}
