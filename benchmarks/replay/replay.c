// Sends prepared requests over TCP and counts their answers, at the least cost to the machine that it shares with
// the server: what it measures is the server's limit, or that of a client in another language.
//
//   replay resp|http PORT FILE CONNECTIONS WINDOW RATE
//
// FILE      prepared requests (replay.h)
// WINDOW    most unanswered requests of one connection; a connection gets the next request when it has room
// RATE      requests a second, or 0 for as many as the window lets through; at a rate a request's time counts
//           from when it was due
//
// Prints {"answers", "seconds", "p50_ms", "p99_ms"}, from the first request to the last answer. Exit status 1, with
// a line on standard error, where the server refuses a request or a connection ends.

#include "replay.h"

enum { MOST_SENT_AT_ONCE = 1 << 17 };

typedef struct {
  int fd;
  size_t unsent, end;          // of the requests' bytes, those that are this connection's to send
  uint32_t *waiting;           // ring of the requests that have no answer yet
  uint32_t first, waiting_now;
  char *input;
  size_t filled;
} Connection;

static const char *line_end(const char *at, const char *end) {
  const char *found = at < end ? memchr(at, '\r', end - at) : NULL;
  return found && found + 1 < end ? found + 2 : NULL;
}

// The end of the first whole reply, or NULL where there is none yet.
static const char *resp_answer(const char *at, const char *end) {
  long open = 1;
  while (open > 0) {
    const char *rest = line_end(at, end);
    if (!rest) return NULL;
    long number = *at == '$' || *at == '*' ? strtol(at + 1, NULL, 10) : 0;
    if (*at == '-') die("refused: %.*s", (int)(rest - at - 2), at);
    if (*at == '$' && number >= 0) rest += number + 2;
    if (rest > end) return NULL;
    if (*at == '*' && number > 0) open += number;
    open--;
    at = rest;
  }
  return at;
}

static const char *http_answer(const char *at, const char *end) {
  const char *body = memmem(at, end - at, "\r\n\r\n", 4);
  if (!body) return NULL;
  if (end - at < 12 || at[9] != '2') die("refused: %.*s", (int)(line_end(at, end) - at - 2), at);
  for (const char *line = at; line && line < body; line = line_end(line, end))
    if (!strncasecmp(line, "content-length:", 15)) {
      const char *rest = body + 4 + strtol(line + 15, NULL, 10);
      return rest <= end ? rest : NULL;
    }
  die("an answer without content-length");
  return NULL;
}

int main(int count, char **words) {
  if (count != 7) die("replay resp|http PORT FILE CONNECTIONS WINDOW RATE");
  const char *(*answer)(const char *, const char *) = strcmp(words[1], "http") ? resp_answer : http_answer;
  uint32_t connections = atoi(words[4]), window = atoi(words[5]);
  double rate = atof(words[6]);
  if (connections < 1 || connections > MOST_CONNECTIONS || window < 1) die("connections or window out of range");

  Requests file = prepared(words[3]);
  uint32_t requests = file.count;
  const uint32_t *lengths = file.lengths;
  const char *bytes = file.bytes;

  Connection *all = calloc(connections, sizeof *all);
  struct pollfd *polled = calloc(connections, sizeof *polled);
  for (uint32_t i = 0; i < connections; i++) {
    all[i].fd = polled[i].fd = opened(atoi(words[2]));
    all[i].waiting = malloc(window * sizeof *all[i].waiting);
    all[i].input = malloc(INPUT);
  }

  double *took = malloc(requests * sizeof *took), began = now_s();
  uint32_t next = 0, answered = 0;
  size_t next_byte = 0;
  while (answered < requests) {
    double now = now_s();
    for (uint32_t i = 0; i < connections; i++) {
      Connection *c = &all[i];
      while (next < requests && c->waiting_now < window && (rate == 0 || began + next / rate <= now)) {
        if (c->unsent == c->end) c->unsent = c->end = next_byte;
        if (c->end != next_byte) break;  // others' requests lie between: what it has goes out first
        took[next] = rate == 0 ? now : began + next / rate;
        c->waiting[(c->first + c->waiting_now++) % window] = next;
        c->end = next_byte += lengths[next];
        next++;
      }
      if (c->unsent < c->end) {
        size_t size = c->end - c->unsent;
        ssize_t sent = send(c->fd, bytes + c->unsent, size < MOST_SENT_AT_ONCE ? size : MOST_SENT_AT_ONCE, MSG_NOSIGNAL);
        if (sent > 0) c->unsent += sent;
        if (sent < 0 && errno != EAGAIN) die("write: %s", strerror(errno));
      }
      polled[i].events = POLLIN | (c->unsent < c->end ? POLLOUT : 0);
    }
    double wait = rate && next < requests ? began + next / rate - now_s() : 1;
    if (wait < 0) wait = 0;
    ppoll(polled, connections, &(struct timespec){(time_t)wait, (long)(1e9 * (wait - (time_t)wait))}, NULL);
    for (uint32_t i = 0; i < connections; i++) {
      Connection *c = &all[i];
      if (!(polled[i].revents & (POLLIN | POLLERR | POLLHUP))) continue;
      c->filled = received(c->fd, c->input, c->filled);
      const char *at = c->input, *end = c->input + c->filled, *rest;
      double arrived = now_s();
      while (at < end && (rest = answer(at, end))) {
        if (!c->waiting_now) die("an answer that nothing asked for");
        took[c->waiting[c->first]] = arrived - took[c->waiting[c->first]];
        c->first = (c->first + 1) % window;
        c->waiting_now--;
        answered++;
        at = rest;
      }
      c->filled = kept(c->input, at, end);
    }
  }
  report(took, requests, now_s() - began);
  return 0;
}
