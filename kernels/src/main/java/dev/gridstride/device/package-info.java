/**
 * Devices, their memory, streams and events, and what an op is to a device.
 *
 * <p>Knows no backend: a backend registers a {@link dev.gridstride.device.DeviceProvider}.
 */
@NullMarked
package dev.gridstride.device;

import org.jspecify.annotations.NullMarked;
