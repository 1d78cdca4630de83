package dev.gridstride.examples.cli;

import dev.gridstride.device.GridstrideException;
import dev.gridstride.examples.UsageException;
import dev.gridstride.io.FileException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command {@code ./gridstride} itself: its parts, and how mistakes are told. */
@Command(
    name = "gridstride",
    header = "GPU kernels for Java: trains, runs and measures the examples.",
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true,
    versionProvider = Gridstride.Version.class,
    subcommands = {
      InfoCommand.class,
      ListCommand.class,
      TrainCommand.class,
      RunCommand.class,
      VerifyCommand.class,
      FuzzCommand.class
    },
    footer = {
      "  bench  Measures the kernels; see bench --help.",
      "",
      "Exit codes: 0 done, 1 a check failed or the run broke off, 2 bad arguments."
    })
public final class Gridstride implements Runnable {
  /** Exit code: everything done, all checks held. */
  public static final int DONE = 0;

  /** Exit code: a check failed, or the run broke off. */
  public static final int FAILED = 1;

  /** Exit code: bad arguments; one line says what to change. */
  public static final int BAD_ARGUMENTS = 2;

  @Spec private CommandSpec spec;

  private Gridstride() {}

  /** The command line, ready to execute arguments. */
  public static CommandLine commandLine() {
    return new CommandLine(new Gridstride())
        .setParameterExceptionHandler(Gridstride::badArguments)
        .setExecutionExceptionHandler(Gridstride::brokenOff);
  }

  /** Without a command: the help text. */
  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  private static int badArguments(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    String message = message(e);
    if (e instanceof UnmatchedArgumentException unmatched
        && command.getParent() == null
        && !unmatched.getUnmatched().getFirst().startsWith("-")) {
      message =
          "there is no command '%s'; known: bench, %s"
              .formatted(
                  unmatched.getUnmatched().getFirst(),
                  String.join(", ", command.getSubcommands().keySet()));
    } else if (!(e.getCause() instanceof UsageException)) {
      message += "; see ./" + command.getCommandSpec().qualifiedName() + " --help";
    }
    return tell(command, message, BAD_ARGUMENTS);
  }

  private static int brokenOff(Exception e, CommandLine command, CommandLine.ParseResult parsed)
      throws Exception {
    return switch (e) {
      case UsageException u -> tell(command, message(u), BAD_ARGUMENTS);
      case FileException f -> tell(command, message(f), BAD_ARGUMENTS);
      case GridstrideException g -> tell(command, message(g), FAILED);
      case IOException io -> tell(command, io.toString(), FAILED);
      case UncheckedIOException io -> tell(command, String.valueOf(io.getCause()), FAILED);
      default -> throw e; // a mistake of the program: with its stack trace
    };
  }

  private static String message(Exception e) {
    return String.valueOf(e.getMessage());
  }

  private static int tell(CommandLine command, String message, int code) {
    command.getErr().println("gridstride: " + message.replaceAll("\\s*\\R\\s*", " "));
    return code;
  }

  /** The project's version, which the build writes into a resource. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"gridstride " + read()};
    }

    static String read() {
      var properties = new Properties();
      try (InputStream in = Gridstride.class.getResourceAsStream("version.properties")) {
        if (in != null) {
          properties.load(in);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return properties.getProperty("version", "unknown");
    }
  }
}
