/* Latencies in buckets 2 % wide, from a monotonic clock in nanoseconds. */
#include <math.h>
#define BUCKETS 2000
#define BUCKET_WIDTH 0.0198026273 /* ln 1.02 */
typedef struct { uint64_t counts[BUCKETS], count, max; } Latencies;

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void note_latency(Latencies *all, uint64_t ns) {
  int bucket = ns < 1000 ? 0 : (int)(log(ns / 1000.0) / BUCKET_WIDTH);
  all->counts[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
  all->count++;
  if (ns > all->max) all->max = ns;
}

static double percentile_ms(const Latencies *all, double share) {
  uint64_t seen = 0, wanted = (uint64_t)(all->count * share);
  for (int bucket = 0; bucket < BUCKETS; bucket++)
    if ((seen += all->counts[bucket]) > wanted) return exp((bucket + 0.5) * BUCKET_WIDTH) / 1000;
  return all->max / 1e6;
}

static void print_latencies(const Latencies *all) {
  printf("\"count\":%lu,\"p50_ms\":%.3f,\"p90_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f", (unsigned long)all->count,
    percentile_ms(all, 0.5), percentile_ms(all, 0.9), percentile_ms(all, 0.99), all->max / 1e6);
}
