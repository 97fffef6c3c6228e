/* requests PORT CONNECTIONS SECONDS RATE FILE
   HTTP/1.1 requests from FILE, a line each: METHOD \t PATH \t TOKEN \t BODY, taken in order and again from the start.
   RATE 0: as fast as CONNECTIONS get their answers (closed loop); below 0: the same, each line once. Else so many a second, each due at its time
   whether or not the server keeps up, and its latency counts from then (open loop). One thread, epoll, a timerfd.
   Prints one line of JSON. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "latency.h"

#define DRAIN_S_MAX 5.0

typedef struct { char *bytes; int length; } Request;
typedef struct {
  int fd, busy, status;
  uint64_t due;
  char head[4096];
  int head_length;
  long body_left; /* -1: the head is not complete */
} Connection;

static struct sockaddr_in address;
static int epoll_fd;
static Request *requests;
static long request_count;
static uint64_t statuses[600], failures, bytes_read;

static void read_requests(const char *path, int port) {
  FILE *file = fopen(path, "r");
  char *line = NULL;
  size_t room = 0, kept = 0;
  ssize_t length;
  if (!file) { perror(path); exit(1); }
  while ((length = getline(&line, &room, file)) > 0) {
    if (line[length - 1] == '\n') line[--length] = 0;
    char *method = line, *target = strchr(method, '\t');
    if (!target) continue;
    *target++ = 0;
    char *token = strchr(target, '\t');
    if (!token) continue;
    *token++ = 0;
    char *body = strchr(token, '\t');
    if (body) *body++ = 0; else body = "";
    if ((size_t)request_count == kept) requests = realloc(requests, (kept = kept ? 2 * kept : 1024) * sizeof(Request));
    Request *one = &requests[request_count++];
    size_t size = strlen(body);
    if (size || strcmp(method, "GET"))
      one->length = asprintf(&one->bytes, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n"
        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", method, target, port, token, size, body);
    else
      one->length = asprintf(&one->bytes, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n\r\n",
        method, target, port, token);
  }
  free(line);
  fclose(file);
  if (!request_count) { fprintf(stderr, "no requests in %s\n", path); exit(1); }
}

static void open_connection(Connection *one) {
  int on = 1;
  one->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (one->fd < 0 || connect(one->fd, (void *)&address, sizeof address)) { perror("connect"); exit(1); }
  setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(one->fd, F_SETFL, O_NONBLOCK);
  one->busy = 0;
  struct epoll_event event = {EPOLLIN, {.ptr = one}};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, one->fd, &event);
}

static void send_request(Connection *one, long index, uint64_t due) {
  Request *request = &requests[index % request_count];
  one->busy = 1;
  one->due = due;
  one->head_length = 0;
  one->body_left = -1;
  if (write(one->fd, request->bytes, request->length) != request->length) failures++;
}

/* Whether the answer is complete. */
static int took(Connection *one, char *data, long length) {
  bytes_read += length;
  if (one->body_left < 0) {
    long room = sizeof one->head - 1 - one->head_length, taken = length < room ? length : room;
    memcpy(one->head + one->head_length, data, taken);
    int before = one->head_length;
    one->head_length += taken;
    one->head[one->head_length] = 0;
    char *end = strstr(one->head, "\r\n\r\n");
    if (!end) return 0;
    one->status = atoi(one->head + 9);
    char *size = strcasestr(one->head, "\r\ncontent-length:");
    long body = size && size < end ? atol(size + 17) : 0;
    one->body_left = body - (length - (end + 4 - one->head - before));
  } else
    one->body_left -= length;
  return one->body_left <= 0;
}

int main(int count, char **given) {
  if (count != 6) { fprintf(stderr, "requests PORT CONNECTIONS SECONDS RATE FILE\n"); return 2; }
  int port = atoi(given[1]), connections = atoi(given[2]);
  double seconds = atof(given[3]), rate = atof(given[4]);
  read_requests(given[5], port);
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  epoll_fd = epoll_create1(0);
  Connection *all = calloc(connections, sizeof(Connection)), **idle = calloc(connections, sizeof(void *));
  int idle_count = 0;
  for (int i = 0; i < connections; i++) { open_connection(&all[i]); idle[idle_count++] = &all[i]; }
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct epoll_event event = {EPOLLIN, {.ptr = NULL}};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer, &event);
  static char data[1 << 18];
  struct epoll_event events[512];
  static Latencies latencies, accepted, refused; /* all, those with success, those answered 503 with Retry-After */
  uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9), last = start;
  uint64_t give_up = end + (uint64_t)(DRAIN_S_MAX * 1e9);
  long sent = 0, done = 0, wanted = rate > 0 ? (long)(seconds * rate) : rate < 0 ? request_count : -1;
  for (;;) {
    uint64_t now = now_ns();
    if (wanted < 0 && now >= end && idle_count == connections) break;
    if ((wanted >= 0 && done + (long)failures >= wanted) || now >= give_up) break;
    if (rate <= 0) {
      while (idle_count && now < end && sent != wanted) send_request(idle[--idle_count], sent++, now);
    } else {
      while (idle_count && sent < wanted && start + (uint64_t)(sent * 1e9 / rate) <= now) {
        send_request(idle[--idle_count], sent, start + (uint64_t)(sent * 1e9 / rate));
        sent++;
      }
      if (sent < wanted && idle_count) {
        uint64_t at = start + (uint64_t)(sent * 1e9 / rate);
        struct itimerspec when = {{0, 0}, {at / 1000000000, at % 1000000000}};
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
      }
    }
    int ready = epoll_wait(epoll_fd, events, 512, 100);
    for (int i = 0; i < ready; i++) {
      Connection *one = events[i].data.ptr;
      if (!one) { uint64_t expirations; if (read(timer, &expirations, 8) < 0) continue; continue; }
      long length = read(one->fd, data, sizeof data);
      if (length < 0 && errno == EAGAIN) continue;
      if (length <= 0) {
        close(one->fd);
        if (one->busy) { failures++; idle[idle_count++] = one; }
        open_connection(one);
        continue;
      }
      if (one->busy && took(one, data, length)) {
        last = now_ns();
        one->busy = 0;
        idle[idle_count++] = one;
        done++;
        statuses[one->status > 0 && one->status < 600 ? one->status : 0]++;
        note_latency(&latencies, last - one->due);
        if (one->status >= 200 && one->status < 300) note_latency(&accepted, last - one->due);
        if (one->status == 503 && strcasestr(one->head, "\r\nretry-after:")) note_latency(&refused, last - one->due);
      }
    }
  }
  uint64_t good = 0;
  for (int status = 200; status < 300; status++) good += statuses[status];
  printf("{\"sent\":%ld,\"done\":%ld,\"good\":%lu,\"failures\":%lu,\"seconds\":%.6f,\"bytes\":%lu,", sent, done,
    (unsigned long)good, (unsigned long)failures, (last - start) / 1e9, (unsigned long)bytes_read);
  print_latencies(&latencies);
  printf(",\"accepted\":{");
  print_latencies(&accepted);
  printf("},\"refused\":{");
  print_latencies(&refused);
  printf("},\"statuses\":{");
  for (int status = 0, some = 0; status < 600; status++)
    if (statuses[status]) printf("%s\"%d\":%lu", some++ ? "," : "", status, (unsigned long)statuses[status]);
  printf("}}\n");
  return 0;
}
