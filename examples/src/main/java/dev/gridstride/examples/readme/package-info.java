/** The programs of the project's README, word for word. */
package dev.gridstride.examples.readme;
