-- Moves entries of a stream to their destinations: publishing, dead-lettering and replaying are this script.
--
-- KEYS  1 source   2 hash of attempts   3 hash that says up to where streams have been trimmed
--       then the d destinations   then for each entry: its event's record
-- ARGV  1 group of the source, or ''   2 number of destinations d   3 number of entries n
--       then for each destination: cap (0: never trimmed; a destination with a group is never trimmed either)
--       then for each entry: entry id, new state (q, s or d), life of the record in ms (0: for ever),
--         destination (1..d), number of strings, the strings (field, value, ...),
--         second destination (0: none), number of strings, the strings
-- Reply for each entry: the id that it got at its destination, or '' where it was not in the source any more
--
-- Lua in Redis does not roll back, so everything that can fail is checked before the first write. XDEL comes
-- first: only where it returned 1 is the rest done, so a second holder of the same entry moves nothing; and
-- Redis permits XDEL when memory is short, and every later write of a script that has written.

local call, KEYS, ARGV = redis.call, KEYS, ARGV
local source, attempts, trimmed, group = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local d, n = tonumber(ARGV[2]), tonumber(ARGV[3])
local HEAD_KEYS, HEAD_ARGS = 3, 3

-- A whole number that Lua still writes out as one, so that every command takes it.
local function is_count(number)
  return number and number >= 0 and number <= 1e14 and number % 1 == 0
end
if not is_count(d) or not is_count(n) or #KEYS ~= HEAD_KEYS + d + n then
  return redis.error_reply('ERR move: wrong number of keys')
end
local function must_be(key, wanted)
  local kind = redis.call('TYPE', key).ok
  return kind == wanted or kind == 'none'
end
if not must_be(attempts, 'hash') then return redis.error_reply('WRONGTYPE move: ' .. attempts) end
if not must_be(trimmed, 'hash') then return redis.error_reply('WRONGTYPE move: ' .. trimmed) end
if not must_be(source, 'stream') then return redis.error_reply('WRONGTYPE move: ' .. source) end
local caps = {}
for i = 1, d do
  local key = KEYS[HEAD_KEYS + i]
  if not must_be(key, 'stream') then return redis.error_reply('WRONGTYPE move: ' .. key) end
  caps[i] = tonumber(ARGV[HEAD_ARGS + i])
  if not is_count(caps[i]) then return redis.error_reply('ERR move: cap is no number') end
  if caps[i] > 0 and redis.call('EXISTS', key) == 1 and #redis.call('XINFO', 'GROUPS', key) > 0 then
    caps[i] = 0
  end
end

local STATES = { q = true, s = true, d = true }
-- Two numbers of at most 19 digits, which fit Redis's 64 bits.
local function is_entry_id(id)
  local dash = string.find(id, '-', 1, true)
  return dash and dash <= 20 and #id - dash <= 19 and string.find(id, '^%d+%-%d+$')
end
-- The argument after `destination, number of strings, strings` at `at`; nil where they are not all there.
local LAST = #ARGV + 1
local function after_target(at)
  local to, count = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  if not is_count(to) or to > d or not is_count(count) or count % 2 ~= 0 then return nil end
  at = at + 2 + count
  if at > LAST or (to > 0 and count == 0) then return nil end
  return at
end
-- Where the arguments of each entry begin, and those of its second destination.
local begins, seconds = {}, {}
local at = HEAD_ARGS + d + 1
local life_checked
for i = 1, n do
  begins[i] = at
  local id, state, life = ARGV[at] or '', ARGV[at + 1], ARGV[at + 2]
  local well_formed = STATES[state] and is_entry_id(id)
  if well_formed and life ~= life_checked then
    -- It stays a string, as SET takes it: a number would be written out anew for each.
    well_formed = life and #life <= 14 and (life == '0' or string.find(life, '^[1-9]%d*$'))
    life_checked = life
  end
  local second = well_formed and tonumber(ARGV[at + 3]) ~= 0 and after_target(at + 3)
  local next_entry = second and after_target(second)
  if not next_entry then return redis.error_reply('ERR move: entry ' .. i .. ' is not well formed') end
  seconds[i], at = second, next_entry
end
if at ~= LAST then return redis.error_reply('ERR move: too many arguments') end

local records = n > 0 and call('MGET', unpack(KEYS, HEAD_KEYS + d + 1)) or {}
local UNKNOWN_FINGERPRINT = string.rep('\0', 16)

local reply, moved = {}, {}
for i = 1, n do
  local begin, second = begins[i], seconds[i]
  local id = ARGV[begin]
  reply[i] = ''
  if call('XDEL', source, id) == 1 then
    moved[#moved + 1] = id
    local to = KEYS[HEAD_KEYS + ARGV[begin + 3]]
    local new_id = call('XADD', to, '*', unpack(ARGV, begin + 5, second - 1))
    reply[i] = new_id
    if tonumber(ARGV[second]) > 0 then
      local stop = (begins[i + 1] or LAST) - 1
      call('XADD', KEYS[HEAD_KEYS + ARGV[second]], '*', unpack(ARGV, second + 2, stop))
    end
    local record, state, life = records[i], ARGV[begin + 1], ARGV[begin + 2]
    local value = state .. (record and string.sub(record, 2, 17) or UNKNOWN_FINGERPRINT)
    if state ~= 'q' then value = value .. to .. ' ' .. new_id end
    if life == '0' then
      call('SET', KEYS[HEAD_KEYS + d + i], value)
    else
      call('SET', KEYS[HEAD_KEYS + d + i], value, 'PX', life)
    end
  end
end
-- What is the same for all entries is said once.
if #moved > 0 then
  if group ~= '' then call('XACK', source, group, unpack(moved)) end
  call('HDEL', attempts, unpack(moved))
end
-- The largest id below `id`: who has read as far as that misses nothing that is left.
local function before(id)
  local ms, number = string.match(id, '^(%d+)%-(%d+)$')
  if tonumber(number) > 0 then return ms .. '-' .. string.format('%.0f', tonumber(number) - 1) end
  return string.format('%.0f', tonumber(ms) - 1) .. '-18446744073709551615'
end
for i = 1, d do
  local key = KEYS[HEAD_KEYS + i]
  if caps[i] > 0 and redis.call('XTRIM', key, 'MAXLEN', '~', caps[i]) > 0 then
    redis.call('HSET', trimmed, key, before(redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1][1]))
  end
end
return reply
