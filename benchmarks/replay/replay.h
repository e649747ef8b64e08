// What both programs have in common: prepared requests, connections to a port of this machine, and the report.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 256, INPUT = 1 << 20 };

// The file has the number of requests and the length of each, as 32 bits of this machine, then their bytes.
typedef struct {
  uint32_t count;
  const uint32_t *lengths;
  const char *bytes;
} Requests;

static void die(const char *why, ...) {
  va_list rest;
  va_start(rest, why);
  fputs("replay: ", stderr);
  vfprintf(stderr, why, rest);
  fputc('\n', stderr);
  exit(1);
}

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b) {
  double one = *(const double *)a, other = *(const double *)b;
  return (one > other) - (one < other);
}

static int opened(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) die("port %d: %s", port, strerror(errno));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

// Adds what has arrived to the input; the bytes that it then has.
static size_t received(int fd, char *input, size_t filled) {
  ssize_t got = recv(fd, input + filled, INPUT - filled, 0);
  if (got == 0 || (got < 0 && errno != EAGAIN)) die("a connection ended: %s", got ? strerror(errno) : "closed");
  return got > 0 ? filled + got : filled;
}

// Moves what has not been read yet to the front of the input; how many bytes that is.
static size_t kept(char *input, const char *rest, const char *end) {
  if (end - rest == INPUT) die("an answer of more than %d bytes", INPUT);
  memmove(input, rest, end - rest);
  return end - rest;
}

static Requests prepared(const char *path) {
  struct stat info;
  int file = open(path, O_RDONLY);
  if (file < 0 || fstat(file, &info)) die("%s: %s", path, strerror(errno));
  const uint32_t *head = mmap(NULL, info.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (head == MAP_FAILED) die("%s: %s", path, strerror(errno));
  return (Requests){head[0], head + 1, (const char *)(head + 1 + head[0])};
}

static void report(double *took, uint32_t answers, double seconds) {
  qsort(took, answers, sizeof *took, compare);
  printf("{\"answers\": %u, \"seconds\": %.6f, \"p50_ms\": %.4f, \"p99_ms\": %.4f}\n", answers, seconds,
         1e3 * took[answers / 2], 1e3 * took[(uint32_t)(answers * 0.99)]);
}
