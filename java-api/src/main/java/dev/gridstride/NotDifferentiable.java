package dev.gridstride;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Marks a tensor method whose result never has a gradient, with the reason. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface NotDifferentiable {
  /** Why: the function is constant almost everywhere, the result is of an integer type, ... */
  String value();
}
