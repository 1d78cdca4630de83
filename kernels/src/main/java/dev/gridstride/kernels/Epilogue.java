package dev.gridstride.kernels;

import dev.gridstride.device.InvalidArgumentException;

/**
 * What a matrix product does to its result before it is stored; computed in the accumulation type
 * while the result is in cache.
 *
 * <p>Forward: {@code C = activation(Z)} with {@code Z = alpha AB + beta C + bias}; {@link #saveAux}
 * also stores Z, the pre-activation, which the backward form needs. Backward: {@code C = (alpha AB
 * + beta C) * activation'(aux)} with aux the stored Z; {@link #biasGradient} also stores the sum of
 * the result's rows.
 *
 * @param addsBias whether a vector of n elements is added to each row
 * @param activation the function applied, or in the backward form the one differentiated
 * @param savesAux whether Z is stored; forward only
 * @param isBackward whether this is the backward form
 * @param storesBiasGradient whether the column sums of the result are stored; excludes bias
 */
public record Epilogue(
    boolean addsBias,
    Activation activation,
    boolean savesAux,
    boolean isBackward,
    boolean storesBiasGradient) {
  /** Stores the product as it is. */
  public static final Epilogue NONE = new Epilogue(false, Activation.IDENTITY, false, false, false);

  /** A function of one element. */
  public enum Activation {
    /** {@code z}. */
    IDENTITY,
    /** {@code max(z, 0)}; NaN stays NaN; the derivative at 0 is 0. */
    RELU,
    /** {@code z Phi(z)} with the normal distribution's Phi by the error function. */
    GELU,
    /** {@code z/2 (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3)))}, the usual approximation of GELU. */
    GELU_TANH
  }

  /** Checks that the parts fit each other. */
  public Epilogue {
    if (savesAux && (isBackward || activation == Activation.IDENTITY)) {
      throw InvalidArgumentException.of(
          "epilogue",
          "saveAux",
          "needs a forward activation",
          "activation=%s, backward=%b",
          activation,
          isBackward);
    }
    if (isBackward && activation == Activation.IDENTITY) {
      throw InvalidArgumentException.of(
          "epilogue", "backward", "needs an activation", "activation=%s", activation);
    }
    if (addsBias && (isBackward || storesBiasGradient)) {
      throw InvalidArgumentException.of(
          "epilogue",
          "bias",
          "can't be added in a backward form",
          "backward=%b, biasGradient=%b",
          isBackward,
          storesBiasGradient);
    }
  }

  /** Adds a bias to each row. */
  public static Epilogue bias() {
    return new Epilogue(true, Activation.IDENTITY, false, false, false);
  }

  /** Applies a function. */
  public static Epilogue of(Activation activation) {
    return NONE.then(activation);
  }

  /** Multiplies the result by the function's derivative at aux. */
  public static Epilogue backward(Activation activation) {
    return new Epilogue(false, activation, false, true, false);
  }

  /** The same with {@code function} applied after the bias. */
  public Epilogue then(Activation function) {
    return new Epilogue(addsBias, function, savesAux, isBackward, storesBiasGradient);
  }

  /** The same with the pre-activation stored. */
  public Epilogue saveAux() {
    return new Epilogue(addsBias, activation, true, isBackward, storesBiasGradient);
  }

  /** The same with the column sums of the result stored. */
  public Epilogue biasGradient() {
    return new Epilogue(addsBias, activation, savesAux, isBackward, true);
  }

  /** Whether the product reads or writes the aux operand. */
  public boolean usesAux() {
    return savesAux || isBackward;
  }

  /** Whether the product reads or writes the bias operand. */
  public boolean usesBias() {
    return addsBias || storesBiasGradient;
  }
}
