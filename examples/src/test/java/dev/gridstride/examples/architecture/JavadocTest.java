package dev.gridstride.examples.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.lang.model.element.Modifier;
import javax.tools.ToolProvider;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every public type, and every public method of one, says what it does. */
class JavadocTest {

  @ParameterizedTest
  @ValueSource(strings = {"kernels", "java-api"})
  void publicTypesAndMethodsHaveJavadoc(String module) throws IOException {
    var compiler = ToolProvider.getSystemJavaCompiler();
    try (var files = compiler.getStandardFileManager(null, null, null);
        var paths = Files.walk(Path.of("..", module, "src", "main", "java"))) {
      List<Path> sources = paths.filter(p -> p.toString().endsWith(".java")).toList();
      assertThat(sources).isNotEmpty();
      var task =
          (JavacTask)
              compiler.getTask(
                  null, files, null, null, null, files.getJavaFileObjectsFromPaths(sources));
      var missing = new ArrayList<String>();
      for (CompilationUnitTree unit : task.parse()) {
        new Scanner(DocTrees.instance(task), missing).scan(unit, null);
      }
      assertThat(missing).as("public API of %s without Javadoc", module).isEmpty();
    }
  }

  private static final class Scanner extends TreePathScanner<Void, Void> {
    private final DocTrees docs;
    private final List<String> missing;

    Scanner(DocTrees docs, List<String> missing) {
      this.docs = docs;
      this.missing = missing;
    }

    @Override
    public Void visitClass(ClassTree type, Void none) {
      boolean inInterface = enclosingType().getKind() == Tree.Kind.INTERFACE;
      if (!inInterface && !type.getModifiers().getFlags().contains(Modifier.PUBLIC)) {
        return null; // what it contains can't be reached from outside either
      }
      check(type.getSimpleName().toString());
      return super.visitClass(type, none);
    }

    @Override
    public Void visitMethod(MethodTree method, Void none) {
      var type = enclosingType();
      var flags = method.getModifiers().getFlags();
      boolean reachable =
          flags.contains(Modifier.PUBLIC)
              || (type.getKind() == Tree.Kind.INTERFACE && !flags.contains(Modifier.PRIVATE));
      boolean inherits =
          method.getModifiers().getAnnotations().stream()
              .anyMatch(a -> a.getAnnotationType().toString().equals("Override"));
      // A record's compact constructor is described by its @param tags.
      boolean ofRecord = type.getKind() == Tree.Kind.RECORD && method.getReturnType() == null;
      if (reachable && !inherits && !ofRecord) {
        check(((ClassTree) type).getSimpleName() + "." + method.getName());
      }
      return null;
    }

    private Tree enclosingType() {
      return getCurrentPath().getParentPath().getLeaf();
    }

    private void check(String name) {
      if (docs.getDocComment(getCurrentPath()) == null) {
        var unit = getCurrentPath().getCompilationUnit();
        long position =
            docs.getSourcePositions().getStartPosition(unit, getCurrentPath().getLeaf());
        missing.add(
            "%s: %s:%d"
                .formatted(
                    name,
                    Path.of(unit.getSourceFile().getName()).getFileName(),
                    unit.getLineMap().getLineNumber(position)));
      }
    }
  }
}
