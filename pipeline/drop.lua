-- Drops dead letters or verdicts for good and forgets their events: one that is sent again is a new one.
--
-- KEYS  1 stream   then for each entry: its event's record, its event's fingerprint's key
-- ARGV  for each entry: its id, its event's id
-- Reply for each entry: 1 dropped, 0 it was not there any more
--
-- A record that tells of another entry, and a fingerprint that names another event, are not touched. Without
-- the fingerprint's end the event would be told a duplicate of itself, which has neither place nor verdict.
-- All that can fail is read before the first write, for Lua in Redis does not roll back.

local source = KEYS[1]
local n = #ARGV / 2
if n % 1 ~= 0 or #KEYS ~= 1 + 2 * n then return redis.error_reply('ERR drop: wrong number of keys') end
local kind = redis.call('TYPE', source).ok
if kind ~= 'stream' and kind ~= 'none' then return redis.error_reply('WRONGTYPE drop: ' .. source) end
for i = 1, n do
  if not string.match(ARGV[2 * i - 1], '^%d+%-%d+$') then
    return redis.error_reply('ERR drop: entry ' .. i .. ' is not well formed')
  end
end
local known = n > 0 and redis.call('MGET', unpack(KEYS, 2)) or {}

local reply = {}
for i = 1, n do
  local id, event_id, record, first = ARGV[2 * i - 1], ARGV[2 * i], known[2 * i - 1], known[2 * i]
  reply[i] = redis.call('XDEL', source, id)
  local state = record and string.sub(record, 1, 1)
  if reply[i] == 1 and (state == 'd' or state == 's')
    and string.sub(record, 18) == source .. ' ' .. id then
    redis.call('DEL', KEYS[2 * i])
    if first == event_id then redis.call('DEL', KEYS[2 * i + 1]) end
  end
end
return reply
