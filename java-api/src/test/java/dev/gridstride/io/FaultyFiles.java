package dev.gridstride.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.spi.FileSystemProvider;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The system's files, of which the Nth operation fails or is preceded by an action. Reads and
 * writes are short, as they may be. Paths of it are made by {@link #wrap}.
 */
final class FaultyFiles extends FileSystemProvider {
  /** Bytes of one read or write at most. */
  private static final int SHORT = 3000;

  /** An operation that may fail. */
  interface Operation {
    void before() throws IOException;
  }

  private final FileSystem system = new Wrapped();
  private final FileSystemProvider real = FileSystems.getDefault().provider();
  private final AtomicInteger open = new AtomicInteger();
  private int operations;
  private int at;
  private Operation action = () -> {};

  /** Before operation {@code n} from now, from 1, {@code what} happens; 0 for never. */
  void before(int n, Operation what) {
    operations = 0;
    at = n;
    action = what;
  }

  /** Operations since the last call of {@link #before}. */
  int operations() {
    return operations;
  }

  /** Channels that are open. */
  int open() {
    return open.get();
  }

  Path wrap(Path path) {
    return new Place(path);
  }

  private void operation() throws IOException {
    if (++operations == at) {
      action.before();
    }
  }

  private static Path unwrap(Path path) {
    return ((Place) path).path;
  }

  // ---- channels ---------------------------------------------------------------------------------

  private final class Channel extends FileChannel {
    private final FileChannel channel;

    Channel(FileChannel channel) {
      this.channel = channel;
      open.incrementAndGet();
    }

    @FunctionalInterface
    private interface Transfer {
      int of(ByteBuffer buffer) throws IOException;
    }

    private static int shortened(ByteBuffer buffer, Transfer transfer) throws IOException {
      int limit = buffer.limit();
      buffer.limit(Math.min(limit, buffer.position() + SHORT));
      try {
        return transfer.of(buffer);
      } finally {
        buffer.limit(limit);
      }
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
      operation();
      return shortened(target, channel::read);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
      operation();
      return shortened(source, channel::write);
    }

    @Override
    public long size() throws IOException {
      operation();
      return channel.size();
    }

    @Override
    public void force(boolean metadata) throws IOException {
      operation();
      channel.force(metadata);
    }

    @Override
    public MemorySegment map(MapMode mode, long offset, long size, Arena arena) throws IOException {
      operation();
      return channel.map(mode, offset, size, arena);
    }

    @Override
    protected void implCloseChannel() throws IOException {
      channel.close();
      open.decrementAndGet();
    }

    private static UnsupportedOperationException unused() {
      return new UnsupportedOperationException("no reader or writer uses it");
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) {
      throw unused();
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) {
      throw unused();
    }

    @Override
    public long position() {
      throw unused();
    }

    @Override
    public FileChannel position(long position) {
      throw unused();
    }

    @Override
    public FileChannel truncate(long size) {
      throw unused();
    }

    @Override
    public long transferTo(long position, long count, WritableByteChannel target) {
      throw unused();
    }

    @Override
    public long transferFrom(ReadableByteChannel source, long position, long count) {
      throw unused();
    }

    @Override
    public int read(ByteBuffer target, long position) {
      throw unused();
    }

    @Override
    public int write(ByteBuffer source, long position) {
      throw unused();
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long position, long size) {
      throw unused();
    }

    @Override
    public FileLock lock(long position, long size, boolean shared) {
      throw unused();
    }

    @Override
    public FileLock tryLock(long position, long size, boolean shared) {
      throw unused();
    }
  }

  // ---- the provider -----------------------------------------------------------------------------

  @Override
  public FileChannel newFileChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    operation();
    return new Channel(FileChannel.open(unwrap(path), options, attributes));
  }

  @Override
  public SeekableByteChannel newByteChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    return newFileChannel(path, options, attributes);
  }

  @Override
  public <A extends BasicFileAttributes> A readAttributes(
      Path path, Class<A> type, LinkOption... options) throws IOException {
    operation();
    return real.readAttributes(unwrap(path), type, options);
  }

  @Override
  public void move(Path source, Path target, CopyOption... options) throws IOException {
    operation();
    Files.move(unwrap(source), unwrap(target), options);
  }

  @Override
  public void delete(Path path) throws IOException {
    Files.delete(unwrap(path)); // cleaning up succeeds
  }

  @Override
  public void checkAccess(Path path, AccessMode... modes) throws IOException {
    real.checkAccess(unwrap(path), modes);
  }

  @Override
  public boolean isSameFile(Path path, Path other) throws IOException {
    return Files.isSameFile(unwrap(path), unwrap(other));
  }

  @Override
  public boolean isHidden(Path path) throws IOException {
    return Files.isHidden(unwrap(path));
  }

  @Override
  public FileStore getFileStore(Path path) throws IOException {
    return Files.getFileStore(unwrap(path));
  }

  @Override
  public String getScheme() {
    return "faulty";
  }

  @Override
  public FileSystem newFileSystem(URI uri, Map<String, ?> environment) {
    throw new UnsupportedOperationException();
  }

  @Override
  public FileSystem getFileSystem(URI uri) {
    return system;
  }

  @Override
  public Path getPath(URI uri) {
    throw new UnsupportedOperationException();
  }

  @Override
  public DirectoryStream<Path> newDirectoryStream(
      Path folder, DirectoryStream.Filter<? super Path> filter) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void createDirectory(Path folder, FileAttribute<?>... attributes) throws IOException {
    Files.createDirectory(unwrap(folder), attributes);
  }

  @Override
  public void copy(Path source, Path target, CopyOption... options) throws IOException {
    Files.copy(unwrap(source), unwrap(target), options);
  }

  @Override
  public <V extends FileAttributeView> V getFileAttributeView(
      Path path, Class<V> type, LinkOption... options) {
    return real.getFileAttributeView(unwrap(path), type, options);
  }

  @Override
  public Map<String, Object> readAttributes(Path path, String names, LinkOption... options)
      throws IOException {
    return real.readAttributes(unwrap(path), names, options);
  }

  @Override
  public void setAttribute(Path path, String name, Object value, LinkOption... options)
      throws IOException {
    real.setAttribute(unwrap(path), name, value, options);
  }

  // ---- paths and the file system ----------------------------------------------------------------

  private final class Place implements Path {
    private final Path path;

    Place(Path path) {
      this.path = path;
    }

    private Path wrapped(Path other) {
      return other == null ? null : new Place(other);
    }

    @Override
    public FileSystem getFileSystem() {
      return system;
    }

    @Override
    public boolean isAbsolute() {
      return path.isAbsolute();
    }

    @Override
    public Path getRoot() {
      return wrapped(path.getRoot());
    }

    @Override
    public Path getFileName() {
      return wrapped(path.getFileName());
    }

    @Override
    public Path getParent() {
      return wrapped(path.getParent());
    }

    @Override
    public int getNameCount() {
      return path.getNameCount();
    }

    @Override
    public Path getName(int index) {
      return wrapped(path.getName(index));
    }

    @Override
    public Path subpath(int from, int to) {
      return wrapped(path.subpath(from, to));
    }

    @Override
    public boolean startsWith(Path other) {
      return path.startsWith(unwrap(other));
    }

    @Override
    public boolean endsWith(Path other) {
      return path.endsWith(unwrap(other));
    }

    @Override
    public Path normalize() {
      return wrapped(path.normalize());
    }

    @Override
    public Path resolve(Path other) {
      return wrapped(path.resolve(unwrap(other)));
    }

    @Override
    public Path relativize(Path other) {
      return wrapped(path.relativize(unwrap(other)));
    }

    @Override
    public URI toUri() {
      return path.toUri();
    }

    @Override
    public Path toAbsolutePath() {
      return wrapped(path.toAbsolutePath());
    }

    @Override
    public Path toRealPath(LinkOption... options) throws IOException {
      return wrapped(path.toRealPath(options));
    }

    @Override
    public WatchKey register(
        WatchService watcher, WatchEvent.Kind<?>[] events, WatchEvent.Modifier... modifiers) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int compareTo(Path other) {
      return path.compareTo(unwrap(other));
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Place place && path.equals(place.path);
    }

    @Override
    public int hashCode() {
      return path.hashCode();
    }

    @Override
    public String toString() {
      return path.toString();
    }
  }

  private final class Wrapped extends FileSystem {
    private final FileSystem system = FileSystems.getDefault();

    @Override
    public FileSystemProvider provider() {
      return FaultyFiles.this;
    }

    @Override
    public void close() {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public boolean isReadOnly() {
      return false;
    }

    @Override
    public String getSeparator() {
      return system.getSeparator();
    }

    @Override
    public Iterable<Path> getRootDirectories() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Iterable<FileStore> getFileStores() {
      return system.getFileStores();
    }

    @Override
    public Set<String> supportedFileAttributeViews() {
      return system.supportedFileAttributeViews();
    }

    @Override
    public Path getPath(String first, String... more) {
      return new Place(system.getPath(first, more));
    }

    @Override
    public PathMatcher getPathMatcher(String pattern) {
      throw new UnsupportedOperationException();
    }

    @Override
    public UserPrincipalLookupService getUserPrincipalLookupService() {
      throw new UnsupportedOperationException();
    }

    @Override
    public WatchService newWatchService() {
      throw new UnsupportedOperationException();
    }
  }
}
