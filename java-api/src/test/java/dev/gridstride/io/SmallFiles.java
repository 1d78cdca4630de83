package dev.gridstride.io;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;

/** A valid file of each format of some pages, and what is read from it as numbers. */
enum SmallFiles {
  NPY {
    @Override
    byte[] bytes(long seed) {
      byte[] dict = ascii("{'descr': '<f4', 'fortran_order': False, 'shape': (5000,), }\n");
      return joined(
          new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (byte) dict.length, 0},
          dict,
          floats(seed, 5000));
    }

    @Override
    double[] read(Device device, Path path) {
      return numbers(Npy.read(device, path));
    }
  },
  SAFETENSORS {
    @Override
    byte[] bytes(long seed) {
      String json =
          "{\"a\":{\"dtype\":\"F32\",\"shape\":[3000],\"data_offsets\":[0,12000]},"
              + "\"b\":{\"dtype\":\"F32\",\"shape\":[2000],\"data_offsets\":[12000,20000]}}";
      var length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length());
      return joined(length.array(), ascii(json), floats(seed, 5000));
    }

    @Override
    double[] read(Device device, Path path) {
      var tensors = Safetensors.read(device, path);
      return numbers(tensors.values().toArray(new Tensor[0]));
    }
  },
  IDX {
    @Override
    byte[] bytes(long seed) {
      return joined(new byte[] {0, 0, 8, 1, 0, 0, 0x4E, 0x20}, noise(seed, 20_000));
    }

    @Override
    double[] read(Device device, Path path) {
      return numbers(Idx.read(device, path));
    }
  },
  IDX_GZ {
    @Override
    byte[] bytes(long seed) {
      var out = new ByteArrayOutputStream();
      try (var packed = new GZIPOutputStream(out)) {
        packed.write(IDX.bytes(seed));
      } catch (IOException impossible) {
        throw new AssertionError(impossible);
      }
      return out.toByteArray();
    }

    @Override
    double[] read(Device device, Path path) {
      return numbers(Idx.read(device, path));
    }
  },
  CSV {
    @Override
    byte[] bytes(long seed) {
      var random = new SplittableRandom(seed);
      return ascii(
          random
              .ints(2000, 1000, 10_000) // rows of one length: each seed's file has the same
              .mapToObj(i -> i + "," + (19_999 - i))
              .collect(Collectors.joining("\n", "a,b\n", "\n")));
    }

    @Override
    double[] read(Device device, Path path) {
      return numbers(Csv.read(path).numeric(device, DType.F64, "b", "a"));
    }
  },
  WAV {
    @Override
    byte[] bytes(long seed) {
      var header = ByteBuffer.allocate(44).order(ByteOrder.LITTLE_ENDIAN);
      header.put(ascii("RIFF")).putInt(36 + 20_000).put(ascii("WAVEfmt ")).putInt(16);
      header.putShort((short) 1).putShort((short) 2).putInt(8000).putInt(32_000);
      header.putShort((short) 4).putShort((short) 16).put(ascii("data")).putInt(20_000);
      return joined(header.array(), noise(seed, 20_000));
    }

    @Override
    double[] read(Device device, Path path) {
      return numbers(Wav.read(device, path).samples());
    }
  },
  CIFAR10 {
    @Override
    byte[] bytes(long seed) {
      byte[] all = noise(seed, 7 * 3073);
      for (int i = 0; i < 7; i++) {
        all[i * 3073] = (byte) (i + seed & 7);
      }
      return all;
    }

    @Override
    double[] read(Device device, Path path) {
      var pictures = Cifar10.read(device, List.of(path));
      return numbers(pictures.images(), pictures.labels());
    }
  };

  /** A valid file; as long for each seed, but for the one that is compressed. */
  abstract byte[] bytes(long seed);

  /** Reads the file, closes what was read, and returns its numbers. */
  abstract double[] read(Device device, Path path);

  private static byte[] ascii(String s) {
    return s.getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] noise(long seed, int n) {
    var bytes = new byte[n];
    new SplittableRandom(seed).nextBytes(bytes);
    return bytes;
  }

  private static byte[] floats(long seed, int n) {
    var random = new SplittableRandom(seed);
    var bytes = ByteBuffer.allocate(4 * n).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < n; i++) {
      bytes.putFloat((float) random.nextDouble());
    }
    return bytes.array();
  }

  private static byte[] joined(byte[]... parts) {
    var out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  private static double[] numbers(Tensor... tensors) {
    int n = 0;
    for (Tensor t : tensors) {
      n += (int) t.count();
    }
    var all = new double[n];
    int at = 0;
    for (Tensor t : tensors) {
      double[] v =
          t.dtype().isFloating()
              ? t.toDoubleArray()
              : Arrays.stream(t.toLongArray()).asDoubleStream().toArray();
      System.arraycopy(v, 0, all, at, v.length);
      at += v.length;
      t.close();
    }
    return all;
  }
}
