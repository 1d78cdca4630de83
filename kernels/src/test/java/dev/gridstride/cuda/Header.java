package dev.gridstride.cuda;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * A reader of {@code gridstride.h}, of as much C as that file uses: integer macros, enumerations,
 * structures, prototypes. What it does not understand is an error.
 *
 * @param constants value of each macro and each constant of an enumeration
 * @param enumerations names of the constants, in order
 * @param structs members by structure, in order
 * @param functions prototypes by name
 */
record Header(
    Map<String, Long> constants,
    List<List<String>> enumerations,
    Map<String, List<Declaration>> structs,
    Map<String, Function> functions) {

  /**
   * A member or parameter.
   *
   * @param type without {@code const}; with a {@code *} for each level of pointers
   * @param name as written
   * @param length elements of an array, 0 for none
   */
  record Declaration(String type, String name, int length) {
    boolean isPointer() {
      return type.endsWith("*");
    }
  }

  /**
   * A prototype.
   *
   * @param result type of the result, as {@link Declaration#type}
   * @param parameters in order
   */
  record Function(String result, List<Declaration> parameters) {}

  private static final Pattern MACRO = Pattern.compile("(?m)^#define\\s+(GS_\\w+)\\s+(\\d+)\\s*$");
  private static final Pattern ENUM = Pattern.compile("enum\\s*\\{([^}]*)\\}\\s*;");
  private static final Pattern STRUCT =
      Pattern.compile("typedef\\s+struct\\s+(\\w+)\\s*\\{([^}]*)\\}\\s*(\\w+)\\s*;");
  private static final Pattern PROTOTYPE =
      Pattern.compile("GS_API\\s+([\\w\\s]+?[\\s*]+)(gs_\\w+)\\s*\\(([^)]*)\\)\\s*;");
  private static final Pattern DECLARATOR =
      Pattern.compile("(\\**)\\s*(\\w+)\\s*(?:\\[(\\w+)\\])?");

  static Header parse(String text) {
    String code = Pattern.compile("/\\*.*?\\*/", Pattern.DOTALL).matcher(text).replaceAll(" ");
    code = code.replaceAll("//[^\n]*", " ");
    var header =
        new Header(
            new LinkedHashMap<>(), new ArrayList<>(), new LinkedHashMap<>(), new LinkedHashMap<>());
    all(MACRO, code).forEach(m -> header.constants.put(m.group(1), Long.valueOf(m.group(2))));
    all(ENUM, code).forEach(m -> header.addEnumeration(m.group(1)));
    all(STRUCT, code).forEach(m -> header.addStruct(m.group(1), m.group(2), m.group(3)));
    all(PROTOTYPE, code).forEach(m -> header.addFunction(m.group(1), m.group(2), m.group(3)));
    check(code, "enum", header.enumerations.size());
    check(code, "struct", header.structs.size());
    check(code, "GS_API(?=\\s+\\w)", header.functions.size() + 1); // its definition
    return header;
  }

  private static List<MatchResult> all(Pattern pattern, String code) {
    return pattern.matcher(code).results().toList();
  }

  private static void check(String code, String keyword, int understood) {
    long found = all(Pattern.compile("\\b" + keyword + "\\b"), code).size();
    if (found != understood) {
      throw new AssertionError(keyword + ": " + found + " in the header, understood " + understood);
    }
  }

  private void addEnumeration(String body) {
    var names = new ArrayList<String>();
    long next = 0;
    for (String entry : body.split(",")) {
      if (entry.isBlank()) {
        continue;
      }
      String[] parts = entry.strip().split("\\s*=\\s*");
      next = parts.length > 1 ? Long.parseLong(parts[1]) : next;
      names.add(parts[0]);
      constants.put(parts[0], next++);
    }
    enumerations.add(names);
  }

  private void addStruct(String tag, String body, String name) {
    if (!tag.equals(name)) {
      throw new AssertionError("struct " + tag + " is called " + name);
    }
    var members = new ArrayList<Declaration>();
    for (String line : body.split(";")) {
      if (!line.isBlank()) {
        members.addAll(declarations(line));
      }
    }
    structs.put(name, members);
  }

  private void addFunction(String result, String name, String parameters) {
    var list = new ArrayList<Declaration>();
    if (!parameters.strip().equals("void")) {
      for (String p : parameters.split(",")) {
        list.addAll(declarations(p));
      }
    }
    functions.put(name, new Function(declarations(result + " result").getFirst().type(), list));
  }

  /** {@code const void* p}, {@code int64_t m, n, k}, {@code int64_t size[GS_MAX_DIMS]}. */
  private List<Declaration> declarations(String line) {
    String[] words = line.replaceAll("\\bconst\\b", " ").strip().split("(?<=\\w)(?=\\W)", 2);
    var list = new ArrayList<Declaration>();
    for (String part : words[1].split(",")) {
      var m = DECLARATOR.matcher(part.strip());
      if (!m.matches()) {
        throw new AssertionError("not understood: " + line.strip());
      }
      int length = m.group(3) == null ? 0 : Math.toIntExact(value(m.group(3)));
      list.add(new Declaration(words[0] + m.group(1), m.group(2), length));
    }
    return list;
  }

  private long value(String number) {
    Long named = constants.get(number);
    return named == null ? Long.parseLong(number) : named;
  }
}
