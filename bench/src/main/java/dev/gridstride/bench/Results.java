package dev.gridstride.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Result files of a folder: those of {@code bench} and those of {@code bench/gpu/compare.py}.
 *
 * @param cpu measured here or on another CPU
 * @param gpu measured beside PyTorch on a GPU
 */
record Results(List<Cpu> cpu, List<Gpu> gpu) {
  /**
   * One file of {@code bench}.
   *
   * @param name name of the file
   * @param machine what it says of the machine
   * @param libraries what the libraries say of themselves
   * @param peaks the machine's limits
   * @param rows what was measured
   */
  record Cpu(String name, JsonNode machine, JsonNode libraries, List<Peak> peaks, List<Row> rows) {}

  /**
   * One file of {@code compare.py}.
   *
   * @param name name of the file
   * @param machine what it says of the machine
   * @param rows what was measured
   */
  record Gpu(String name, JsonNode machine, List<GpuRow> rows) {}

  /**
   * One comparison on a GPU.
   *
   * @param family its family
   * @param op its operation, as our CPU families name it where they have it
   * @param dtype element type
   * @param shape its shape
   * @param ours seconds of our kernel
   * @param theirs seconds of PyTorch's
   * @param ratio theirs over ours
   */
  record GpuRow(
      String family,
      String op,
      String dtype,
      String shape,
      double ours,
      double theirs,
      double ratio) {
    /** Family, operation, type and shape in the words of the CPU's families. */
    String key() {
      return String.join(" ", family.replace('_', '-'), op, dtype, square(shape));
    }
  }

  private static final Map<String, String> OPS =
      Map.of(
          "gemm_nn", "product",
          "gemm_nt", "product-nt",
          "gemm_tn", "product-tn",
          "softmax", "forward",
          "log_softmax", "log-forward",
          "softmax_backward", "backward",
          "sum_axis0", "sum-columns",
          "sum_axis1", "sum-rows");

  /** Names a square product by its three sizes, as the GPU's files do. */
  static String square(String shape) {
    return shape.matches("[0-9]+") ? shape + "x" + shape + "x" + shape : shape;
  }

  /** Reads a folder, not its subfolders; files of other kinds are left out. */
  static Results read(Path folder) throws IOException {
    var results = new Results(new ArrayList<>(), new ArrayList<>());
    if (!Files.isDirectory(folder)) {
      throw new BadUsage("DIR must be a folder with result files; given " + folder);
    }
    var mapper = new ObjectMapper();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".json")).sorted().toList()) {
        JsonNode all = mapper.readTree(file.toFile());
        JsonNode rows = all.path("rows");
        if (rows.isEmpty()) {
          continue;
        }
        String name = file.getFileName().toString();
        if (rows.get(0).has("impl")) {
          var peaks = new ArrayList<Peak>();
          for (JsonNode p : all.path("peaks")) {
            peaks.add(
                new Peak(
                    p.get("threads").asInt(),
                    p.get("f32Gflops").asDouble(),
                    p.get("f64Gflops").asDouble(),
                    p.get("copyGbps").asDouble()));
          }
          var list = new ArrayList<Row>();
          for (JsonNode r : rows) {
            list.add(mapper.treeToValue(r, Row.class));
          }
          results.cpu.add(new Cpu(name, all.path("machine"), all.path("libraries"), peaks, list));
        } else if (rows.get(0).has("ourError")) {
          results.gpu.add(new Gpu(name, all.path("machine"), gpuRows(rows)));
        }
      }
    }
    return results;
  }

  private static List<GpuRow> gpuRows(JsonNode rows) {
    var list = new ArrayList<GpuRow>();
    for (JsonNode r : rows) {
      if (r.has("ratio")) { // checked only, or failed, otherwise
        String op = r.get("op").asText();
        list.add(
            new GpuRow(
                r.get("family").asText(),
                OPS.getOrDefault(op, op),
                r.get("dtype").asText(),
                r.get("shape").asText(),
                r.get("ours").asDouble(),
                r.get("theirs").asDouble(),
                r.get("ratio").asDouble()));
      }
    }
    return list;
  }
}
