/* sockets PORT SECONDS RATE PEOPLE TWEETS
   Opens a WebSocket for each line of PEOPLE (A \t TOKEN: an author, L \t TOKEN: a listener), waits for every hello,
   prints READY, waits for a line on standard input, then has authors tweet the lines of TWEETS (INDEX \t MESSAGE; the
   index counts the authors) in turn, RATE a second, each due at its time whatever the server does.
   A message begins with the time it was due, so that acks and pushes tell how long they took from then.
   Prints one line of JSON when as many pushes came as PUSHES, given on the line on standard input, or none came for
   some seconds. One thread, epoll, a timerfd. */
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "latency.h"

#define HANDSHAKES_AT_ONCE 64
#define QUIET_S_MAX 3.0

typedef struct { int fd, author, open, greeted; unsigned char *rest; int rest_length, rest_room; } Socket;
typedef struct { int author; char *message; } Tweet;

static Socket *sockets;
static int socket_count, author_count;
static int *authors;
static Tweet *tweets;
static long tweet_count, sent, acks, refusals, pushes, own, gaps, closed, others;
static uint64_t *due_of, last_push, bytes_read;
static Latencies ack_latencies, push_latencies;
static int greeted, epoll_fd;

static void read_people(const char *path) {
  FILE *file = fopen(path, "r");
  char kind, token[256];
  int room = 0;
  if (!file) { perror(path); exit(1); }
  while (fscanf(file, " %c %255s", &kind, token) == 2) {
    if (socket_count == room) {
      room = room ? 2 * room : 1024;
      sockets = realloc(sockets, room * sizeof(Socket));
      authors = realloc(authors, room * sizeof(int));
    }
    memset(&sockets[socket_count], 0, sizeof(Socket));
    sockets[socket_count].author = kind == 'A';
    sockets[socket_count].rest = (unsigned char *)strdup(token); /* until the handshake is sent */
    if (kind == 'A') authors[author_count++] = socket_count;
    socket_count++;
  }
  fclose(file);
}

static void read_tweets(const char *path) {
  FILE *file = fopen(path, "r");
  char *line = NULL;
  size_t room = 0, kept = 0;
  ssize_t length;
  if (!file) { perror(path); exit(1); }
  while ((length = getline(&line, &room, file)) > 0) {
    char *message = strchr(line, '\t');
    if (!message) continue;
    if (line[length - 1] == '\n') line[length - 1] = 0;
    if ((size_t)tweet_count == kept) tweets = realloc(tweets, (kept = kept ? 2 * kept : 1024) * sizeof(Tweet));
    tweets[tweet_count].author = atoi(line);
    tweets[tweet_count++].message = strdup(message + 1);
  }
  free(line);
  fclose(file);
}

static void frame_came(Socket *one, char *text, int length, uint64_t now) {
  char *found;
  if (length > 15 && !memcmp(text, "{\"type\":\"tweet\"", 15)) {
    last_push = now;
    found = memmem(text, length, "\"message\":\"t", 12);
    if (one->author) own++;
    else pushes++;
    if (found && !one->author) note_latency(&push_latencies, now - strtoull(found + 12, NULL, 10));
  } else if (length > 22 && !memcmp(text, "{\"type\":\"ack\",\"ref\":\"r", 22)) {
    acks++;
    note_latency(&ack_latencies, now - due_of[atol(text + 22)]);
  } else if (length > 15 && !memcmp(text, "{\"type\":\"hello\"", 15)) {
    greeted += !one->greeted;
    one->greeted = 1;
  } else if (length > 13 && !memcmp(text, "{\"type\":\"gap\"", 13)) gaps++;
  else if (length > 15 && !memcmp(text, "{\"type\":\"error\"", 15)) refusals++;
  else others++;
}

static void take(Socket *one) {
  static unsigned char data[1 << 20];
  if (one->rest_length) memcpy(data, one->rest, one->rest_length);
  long got = read(one->fd, data + one->rest_length, sizeof data - one->rest_length);
  if (got <= 0) {
    if (got < 0 && errno == EAGAIN) return;
    closed++;
    close(one->fd);
    one->fd = -1;
    return;
  }
  bytes_read += got;
  long length = one->rest_length + got, at = 0;
  uint64_t now = now_ns();
  if (!one->open) {
    unsigned char *end = memmem(data, length, "\r\n\r\n", 4);
    if (!end) goto keep;
    if (!memmem(data, end - data, " 101 ", 5)) { fprintf(stderr, "refused: %.200s\n", data); exit(1); }
    one->open = 1;
    at = end + 4 - data;
  }
  while (length - at >= 2) {
    unsigned char *frame = data + at;
    long size = frame[1] & 127, head = 2;
    if (size == 126) { if (length - at < 4) break; size = frame[2] << 8 | frame[3]; head = 4; }
    else if (size == 127) {
      if (length - at < 10) break;
      size = 0;
      for (int i = 2; i < 10; i++) size = size << 8 | frame[i];
      head = 10;
    }
    if (length - at < head + size) break;
    int kind = frame[0] & 15;
    if (kind == 1) frame_came(one, (char *)frame + head, size, now);
    else if (kind == 9) {
      unsigned char pong[6] = {0x8a, 0x80, 0, 0, 0, 0};
      if (write(one->fd, pong, 6) < 0) closed++;
    }
    at += head + size;
  }
keep:
  one->rest_length = length - at;
  if (one->rest_length > one->rest_room) one->rest = realloc(one->rest, one->rest_room = one->rest_length);
  if (one->rest_length) memcpy(one->rest, data + at, one->rest_length);
}

static void shake_hands(Socket *one, struct sockaddr_in *address, int port) {
  char request[600];
  int on = 1;
  one->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (one->fd < 0 || connect(one->fd, (void *)address, sizeof *address)) { perror("connect"); exit(1); }
  setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  int length = snprintf(request, sizeof request, "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Authorization: Bearer %s\r\n\r\n", port, (char *)one->rest);
  free(one->rest);
  one->rest = NULL;
  if (write(one->fd, request, length) != length) { perror("write"); exit(1); }
  fcntl(one->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {EPOLLIN, {.ptr = one}};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, one->fd, &event);
}

static void tweet(long index, uint64_t due) {
  unsigned char frame[2048];
  Tweet *one = &tweets[index % tweet_count];
  int length = snprintf((char *)frame + 8, sizeof frame - 8, "{\"message\":\"t%020lu %s\",\"ref\":\"r%ld\"}",
    (unsigned long)due, one->message, index);
  due_of[index] = due;
  unsigned char *begin = frame;
  frame[0] = 0x81;
  if (length < 126) { begin = frame + 2; begin[0] = 0x81; begin[1] = 0x80 | length; }
  else { begin[1] = 0x80 | 126; begin[2] = length >> 8; begin[3] = length & 255; }
  memset(frame + 4, 0, 4); /* a mask of zeros leaves the payload as it is */
  int whole = frame + 8 + length - begin;
  if (write(sockets[authors[one->author % author_count]].fd, begin, whole) != whole) refusals++;
}

static int wait_for_frames(struct epoll_event *events, int timeout_ms, int timer) {
  int ready = epoll_wait(epoll_fd, events, 512, timeout_ms);
  for (int i = 0; i < ready; i++) {
    uint64_t expirations;
    if (events[i].data.ptr) take(events[i].data.ptr);
    else if (read(timer, &expirations, 8) < 0) continue;
  }
  return ready;
}

int main(int count, char **given) {
  if (count != 6) { fprintf(stderr, "sockets PORT SECONDS RATE PEOPLE TWEETS\n"); return 2; }
  int port = atoi(given[1]);
  double seconds = atof(given[2]), rate = atof(given[3]);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  read_people(given[4]);
  read_tweets(given[5]);
  long wanted = (long)(seconds * rate);
  due_of = calloc(wanted + 1, sizeof *due_of);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  epoll_fd = epoll_create1(0);
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct epoll_event events[512], event = {EPOLLIN, {.ptr = NULL}};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer, &event);
  uint64_t began = now_ns();
  for (int opened = 0; greeted < socket_count;) {
    while (opened < socket_count && opened - greeted < HANDSHAKES_AT_ONCE) shake_hands(&sockets[opened++], &address, port);
    if (!wait_for_frames(events, 10000, timer)) { fprintf(stderr, "no answer for 10 s: %d of %d greeted\n", greeted, socket_count); return 1; }
  }
  printf("READY %.3f\n", (now_ns() - began) / 1e9);
  fflush(stdout);
  char line[64];
  if (!fgets(line, sizeof line, stdin)) return 0;
  long expected = atol(line);
  uint64_t start = now_ns(), now = start;
  last_push = start;
  while (1) {
    now = now_ns();
    while (sent < wanted && start + (uint64_t)(sent * 1e9 / rate) <= now) {
      tweet(sent, start + (uint64_t)(sent * 1e9 / rate));
      sent++;
    }
    if (sent < wanted) {
      uint64_t at = start + (uint64_t)(sent * 1e9 / rate);
      struct itimerspec when = {{0, 0}, {at / 1000000000, at % 1000000000}};
      timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
    } else if ((pushes >= expected && acks >= wanted) || now > (last_push > start ? last_push : start) + (uint64_t)(QUIET_S_MAX * 1e9))
      break;
    wait_for_frames(events, 100, timer);
  }
  printf("{\"sent\":%ld,\"acks\":%ld,\"refusals\":%ld,\"pushes\":%ld,\"own\":%ld,\"gaps\":%ld,\"closed\":%ld,\"others\":%ld,"
    "\"bytes\":%lu,\"seconds\":%.6f,\"ack\":{", sent, acks, refusals, pushes, own, gaps, closed, others,
    (unsigned long)bytes_read, (last_push - start) / 1e9);
  print_latencies(&ack_latencies);
  printf("},\"push\":{");
  print_latencies(&push_latencies);
  printf("}}\n");
  return 0;
}
