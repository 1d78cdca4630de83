package dev.gridstride.device;

/**
 * Use of a device's memory by Gridstride.
 *
 * @param usedBytes in buffers that are open
 * @param cachedBytes kept by the pool for reuse
 * @param peakUsedBytes largest value of {@code usedBytes} so far
 * @param allocations number of times that memory was asked of the system, not of the pool
 */
public record MemoryStats(long usedBytes, long cachedBytes, long peakUsedBytes, long allocations) {}
