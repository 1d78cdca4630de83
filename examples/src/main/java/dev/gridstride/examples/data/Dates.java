package dev.gridstride.examples.data;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.data.Vocabulary;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.time.LocalDate;
import java.time.format.TextStyle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.random.RandomGenerator;

/**
 * Dates as people write them, and as ISO 8601 does: made here, from rules.
 *
 * <p>The dates lie from 1950 to 2049, so that a year of two digits has one meaning.
 *
 * @param written as people write them
 * @param iso the same dates as {@code 1987-05-03}
 */
public record Dates(List<String> written, List<String> iso) {
  /** The first day, and the first that is too late. */
  private static final LocalDate FIRST = LocalDate.of(1950, 1, 1);

  private static final LocalDate TOO_LATE = LocalDate.of(2050, 1, 1);

  /** Characters of the longest written date: {@code Wednesday the 23rd of September, 2015}. */
  public static final int LONGEST = 37;

  /** Characters of an ISO date. */
  public static final int ISO_LENGTH = 10;

  /** What fills texts up to one length. */
  public static final String FILL = "<fill>";

  /** What comes before a text. */
  public static final String BEGIN = "<begin>";

  /** What comes after a text. */
  public static final String END = "<end>";

  /** The characters of both ways to write. */
  public static final Vocabulary CHARACTERS =
      Vocabulary.ofCharacters(
          "0123456789 .,-'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", FILL, BEGIN, END);

  /** All days, 36,525 of them, in an order by chance. */
  public static List<LocalDate> days(long seed) {
    List<LocalDate> days = new ArrayList<>(FIRST.datesUntil(TOO_LATE).toList());
    Collections.shuffle(days, new Random(seed));
    return days;
  }

  /** Writes each of these days in a way by chance. */
  public static Dates write(List<LocalDate> days, RandomGenerator random) {
    return new Dates(
        days.stream().map(day -> written(day, random)).toList(),
        days.stream().map(LocalDate::toString).toList());
  }

  private static String written(LocalDate date, RandomGenerator random) {
    int day = date.getDayOfMonth();
    boolean brief = random.nextInt(3) == 0;
    TextStyle style = brief ? TextStyle.SHORT : TextStyle.FULL;
    String month = date.getMonth().getDisplayName(style, Locale.ENGLISH);
    String weekday = date.getDayOfWeek().getDisplayName(style, Locale.ENGLISH);
    boolean twoDigits = random.nextInt(4) == 0;
    String year = twoDigits ? "'%02d".formatted(date.getYear() % 100) : "" + date.getYear();
    String text =
        switch (random.nextInt(8)) {
          case 0 -> "%d %s %s".formatted(day, month, year);
          case 1 -> "%s %d, %s".formatted(month, day, year);
          case 2 -> "%s, %d %s %s".formatted(weekday, day, month, year);
          case 3 -> "%s %s, %s".formatted(month, ordinal(day), year);
          case 4 -> "the %s of %s %s".formatted(ordinal(day), month, year);
          case 5 -> "%s the %s of %s, %s".formatted(weekday, ordinal(day), month, year);
          case 6 -> "%d.%d.%s".formatted(day, date.getMonthValue(), year);
          default -> "%s %s %d".formatted(year, month, day);
        };
    return random.nextInt(4) == 0 ? text.toLowerCase(Locale.ROOT) : text;
  }

  private static String ordinal(int day) {
    boolean teen = day >= 11 && day <= 13;
    return day
        + switch (teen ? 0 : day % 10) {
          case 1 -> "st";
          case 2 -> "nd";
          case 3 -> "rd";
          default -> "th";
        };
  }

  /** Number of dates. */
  public int size() {
    return written.size();
  }

  /** The dates {@code from} (included) to {@code to} (excluded). */
  public Dates part(int from, int to) {
    return new Dates(written.subList(from, to), iso.subList(from, to));
  }

  /** The written dates, i64 [n, length of the longest], filled up. */
  public Tensor sources(Device device) {
    int longest = written.stream().mapToInt(String::length).max().orElse(0);
    var flat = new long[size() * longest];
    Arrays.fill(flat, CHARACTERS.number(FILL));
    for (int i = 0; i < size(); i++) {
      long[] text = CHARACTERS.encode(written.get(i));
      System.arraycopy(text, 0, flat, i * longest, text.length);
    }
    return Tensors.of(device, flat, size(), longest);
  }

  /** Which places of texts [n, s] hold characters and do not only fill up, [n, 1, s]. */
  public static Tensor isCharacter(Tensor texts) {
    Tensor fill = Tensors.full(texts.device(), DType.I64, CHARACTERS.number(FILL));
    return texts.ne(fill).unsqueeze(1);
  }

  /** The texts of rows of numbers, i64 [n, length], each up to {@link #END}. */
  public static List<String> texts(Tensor rows) {
    long[] all = rows.toLongArray();
    int length = Math.toIntExact(rows.size(1));
    var texts = new ArrayList<String>();
    for (int at = 0; at < all.length; at += length) {
      String text = CHARACTERS.decode(Arrays.copyOfRange(all, at, at + length));
      texts.add(text.split(END, 2)[0]);
    }
    return texts;
  }

  /** The ISO dates with {@link #BEGIN} before them, i64 [n, ISO_LENGTH + 1]. */
  public Tensor begun(Device device) {
    return targets(device, CHARACTERS.number(BEGIN), 0, 1);
  }

  /** The ISO dates with {@link #END} behind them, i64 [n, ISO_LENGTH + 1]. */
  public Tensor ended(Device device) {
    return targets(device, CHARACTERS.number(END), ISO_LENGTH, 0);
  }

  private Tensor targets(Device device, long mark, int markAt, int textAt) {
    int length = ISO_LENGTH + 1;
    var flat = new long[size() * length];
    for (int i = 0; i < size(); i++) {
      flat[i * length + markAt] = mark;
      long[] text = CHARACTERS.encode(iso.get(i));
      System.arraycopy(text, 0, flat, i * length + textAt, Math.min(text.length, ISO_LENGTH));
    }
    return Tensors.of(device, flat, size(), length);
  }
}
