// Makes unary gRPC calls with prepared messages and counts their answers, at as little cost as replay.c has for other
// protocols: so a gRPC server and one of those can be compared by what each can do, on cores that they share with
// their load.
//
//   calls PORT FILE CONNECTIONS WINDOW
//
// FILE      as in replay.h; the first is the block of headers of every call, without a dynamic table, the others are
//           the messages, each behind gRPC's five bytes
// WINDOW    most unanswered calls of one connection; a connection gets the next call when it has room
//
// Prints what replay.c prints. A call has succeeded when it has an answer: one that fails has none, and ends this
// program. What HTTP/2 asks of a client is done by hand, for it is six kinds of frames; answers' headers are not read.

#include "replay.h"

enum { DATA, HEADERS, RESET = 3, SETTINGS, PING = 6, GOAWAY, WINDOW_UPDATE };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };
enum { HEAD = 9, MOST_IN_FRAME = 16384, OUTPUT = 1 << 18, ENOUGH_OUTPUT = OUTPUT / 2 };
enum { INITIAL_WINDOW = 65535, MOST_WINDOW = 0x7fffffff, SETTING_INITIAL_WINDOW = 4 };

typedef struct {
  int fd;
  char *output, *input;
  size_t written, unsent, filled;  // written and unsent bytes of the output; bytes of the input
  uint32_t *calls;                 // of each stream, in their order: the call
  uint8_t *answered;               // whether it had data
  uint32_t streams, under_way;
  int64_t window, initial_window;  // what may be sent on the connection, and on a new stream
  uint32_t sending;                // the call whose message is being written, or 0
  size_t sent;
  int64_t stream_window;
} Connection;

static void put(Connection *c, const void *bytes, size_t size) {
  if (c->unsent + size > OUTPUT) die("more to send than there is room for");
  memcpy(c->output + c->unsent, bytes, size);
  c->unsent += size;
}

static void put_frame(Connection *c, int kind, int flags, uint32_t stream, const void *bytes, size_t size) {
  const uint8_t head[HEAD] = {size >> 16, size >> 8, size, kind, flags, stream >> 24, stream >> 16, stream >> 8, stream};
  put(c, head, HEAD);
  put(c, bytes, size);
}

static uint32_t number(const char *at) {
  const uint8_t *b = (const uint8_t *)at;
  return (uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

static void greet(Connection *c) {
  static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  static const uint8_t settings[] = {0, SETTING_INITIAL_WINDOW, 0x7f, 0xff, 0xff, 0xff};
  const uint32_t more = htonl(MOST_WINDOW - INITIAL_WINDOW);  // answers never wait for room
  put(c, preface, sizeof preface - 1);
  put_frame(c, SETTINGS, 0, 0, settings, sizeof settings);
  put_frame(c, WINDOW_UPDATE, 0, 0, &more, sizeof more);
}

// What of the message under way the windows let through.
static void put_message(Connection *c, const char *message, size_t length) {
  while (c->sending && c->unsent < ENOUGH_OUTPUT) {
    int64_t size = length - c->sent;
    if (size > MOST_IN_FRAME) size = MOST_IN_FRAME;
    if (size > c->window) size = c->window;
    if (size > c->stream_window) size = c->stream_window;
    if (size <= 0) return;
    int last = c->sent + size == length;
    put_frame(c, DATA, last ? END_STREAM : 0, 2 * c->streams - 1, message + c->sent, size);
    c->window -= size;
    c->stream_window -= size;
    c->sent += size;
    if (last) c->sending = 0;
  }
}

static void begin_call(Connection *c, uint32_t call, const char *headers, size_t size) {
  c->calls[c->streams] = c->sending = call;
  c->answered[c->streams] = 0;
  c->streams++;
  c->under_way++;
  c->sent = 0;
  c->stream_window = c->initial_window;
  put_frame(c, HEADERS, END_HEADERS, 2 * c->streams - 1, headers, size);
}

static void read_settings(Connection *c, const char *at, size_t size) {
  for (; size >= 6; at += 6, size -= 6)
    if (at[0] == 0 && at[1] == SETTING_INITIAL_WINDOW) {
      c->stream_window += number(at + 2) - c->initial_window;
      c->initial_window = number(at + 2);
    }
  put_frame(c, SETTINGS, ACK, 0, NULL, 0);
}

// Takes a frame in; the call that it ends, or 0.
static uint32_t take_frame(Connection *c, int kind, int flags, uint32_t stream, const char *at, size_t size) {
  if (kind == RESET || kind == GOAWAY) die("the server ended a %s", kind == RESET ? "call" : "connection");
  if (kind == SETTINGS && !(flags & ACK)) read_settings(c, at, size);
  if (kind == PING && !(flags & ACK)) put_frame(c, PING, ACK, 0, at, size);
  if (kind == WINDOW_UPDATE && stream == 0) c->window += number(at);
  if (kind == WINDOW_UPDATE && stream == 2 * c->streams - 1) c->stream_window += number(at);
  if (kind != DATA && kind != HEADERS) return 0;
  uint32_t which = stream / 2;
  if (which >= c->streams) die("an answer that nothing asked for");
  if (kind == DATA) c->answered[which] = 1;
  if (!(flags & END_STREAM)) return 0;
  if (!c->answered[which]) die("call %u failed", c->calls[which]);
  c->under_way--;
  return c->calls[which];
}

static void flush(Connection *c) {
  if (c->written < c->unsent) {
    ssize_t sent = send(c->fd, c->output + c->written, c->unsent - c->written, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) die("write: %s", strerror(errno));
    if (sent > 0) c->written += sent;
  }
  if (c->written == c->unsent) c->written = c->unsent = 0;
}

int main(int count, char **words) {
  if (count != 5) die("calls PORT FILE CONNECTIONS WINDOW");
  uint32_t connections = atoi(words[3]), window = atoi(words[4]);
  if (connections < 1 || connections > MOST_CONNECTIONS || window < 1) die("connections or window out of range");
  const Requests file = prepared(words[2]);
  if (file.count < 2) die("no calls");
  const char **at = malloc(file.count * sizeof *at), *end = file.bytes;
  for (uint32_t i = 0; i < file.count; end += file.lengths[i++]) at[i] = end;

  Connection *all = calloc(connections, sizeof *all);
  struct pollfd *polled = calloc(connections, sizeof *polled);
  for (uint32_t i = 0; i < connections; i++) {
    all[i] = (Connection){
        .fd = opened(atoi(words[1])),
        .output = malloc(OUTPUT),
        .input = malloc(INPUT),
        .calls = malloc(file.count * sizeof(uint32_t)),
        .answered = malloc(file.count),
        .window = INITIAL_WINDOW,
        .initial_window = INITIAL_WINDOW,
    };
    polled[i].fd = all[i].fd;
    greet(&all[i]);
  }

  double *took = malloc(file.count * sizeof *took), began = now_s();
  uint32_t next = 1, answers = 0;
  while (answers < file.count - 1) {
    for (uint32_t i = 0; i < connections; i++) {
      Connection *c = &all[i];
      if (c->sending) put_message(c, at[c->sending], file.lengths[c->sending]);
      while (!c->sending && next < file.count && c->under_way < window && c->unsent < ENOUGH_OUTPUT) {
        took[next] = now_s();
        begin_call(c, next++, at[0], file.lengths[0]);
        put_message(c, at[c->sending], file.lengths[c->sending]);
      }
      flush(c);
      polled[i].events = POLLIN | (c->written < c->unsent ? POLLOUT : 0);
    }
    poll(polled, connections, 1000);
    for (uint32_t i = 0; i < connections; i++) {
      Connection *c = &all[i];
      if (!(polled[i].revents & (POLLIN | POLLERR | POLLHUP))) continue;
      c->filled = received(c->fd, c->input, c->filled);
      const char *frame = c->input, *filled = c->input + c->filled;
      double arrived = now_s();
      while (filled - frame >= HEAD) {
        size_t size = number(frame) >> 8;
        if ((size_t)(filled - frame) < HEAD + size) break;
        uint32_t ended = take_frame(c, frame[3], frame[4], number(frame + 5) & MOST_WINDOW, frame + HEAD, size);
        if (ended) {
          took[ended] = arrived - took[ended];
          answers++;
        }
        frame += HEAD + size;
      }
      c->filled = kept(c->input, frame, filled);
    }
  }
  report(took + 1, answers, now_s() - began);
  return 0;
}
