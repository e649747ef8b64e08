-- Admits a batch of events: decides duplicates and depth for all of them, then sets the keys and appends.
--
-- KEYS  1 events:raw   2 events:direct   3 events:reasoning_queue
--       then for each event: its record, its fingerprint's key
-- ARGV  1 most entries of events:raw   2 most entries of events:direct
--       3 most unread entries of events:reasoning_queue   4 window of fingerprints, ms
--       5 life of a duplicate's record, ms   6 wanted stream of each event, a digit for each (1 raw, 2 direct)
--       7 platform of each event, a byte for each: the number of its label
--       8, 9 length of what stands before the id in a record's key, and before a fingerprint in its
--       10 number of labels, then the labels of platforms, then the payload of each event
-- Reply { depths of events:raw and of events:direct afterwards, unread entries of events:reasoning_queue,
--         outcome of each event, a byte for each, stream of each (1 or 2; 0 where it is in none by this call),
--         { for each event the id of its entry, else of the event that came first, else '' } }
--       outcome: 0 accepted, 1 duplicate, 2 same id with other content, 3 no room
-- Few words, for each takes Redis and its client longer than to cut an id or a fingerprint out of its key.
--
-- An event that wants events:direct goes to events:raw where that is full, so that no room means none in both.
-- A duplicate's record counts only while that of the event that came first stands. That record is the one key
-- that is not in KEYS, for the duplicate's alone names it; it lies in the same partition, as equal fingerprints
-- have one platform and author.
-- Lua in Redis does not roll back, so everything that can fail is checked before the first write. MSET comes
-- first because Redis refuses the first write of a script when memory is short, and no later one.

local ACCEPTED, DUPLICATE, CONFLICT, NO_ROOM = 0, 1, 2, 3
local RAW, DIRECT = 1, 2
local HEAD_KEYS, HEAD_ARGS = 3, 10
-- From a duplicate to the first one, as in event_status.py.
local MOST_HOPS = 8
local call, sub, byte, char = redis.call, string.sub, string.byte, string.char

local reasoning = KEYS[3]
local max_depth, max_direct, max_unread = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local window_ms, duplicate_ms, wanted = ARGV[4], ARGV[5], ARGV[6]
local platforms, id_at, fingerprint_at = ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])
local labels = tonumber(ARGV[10])
local n = labels and #wanted

if not n or #KEYS ~= HEAD_KEYS + 2 * n or #ARGV ~= HEAD_ARGS + labels + n or #platforms ~= n then
  return redis.error_reply('ERR admit: wrong number of keys or arguments')
end
-- What SET takes after PX. The lives stay strings: a number would be written out for each event.
local function is_life(ms)
  return string.match(ms, '^[1-9]%d*$') and #ms <= 14
end
if not max_depth or not max_direct or not max_unread or not is_life(window_ms) or not is_life(duplicate_ms)
  or not id_at or not fingerprint_at then
  return redis.error_reply('ERR admit: a limit is not what it may be')
end
for i = 1, HEAD_KEYS do
  local kind = call('TYPE', KEYS[i]).ok
  if kind ~= 'stream' and kind ~= 'none' then
    return redis.error_reply('WRONGTYPE admit: ' .. KEYS[i] .. ' is no stream')
  end
end
if string.find(wanted, '[^12]') then
  return redis.error_reply('ERR admit: an event wants a stream that there is not')
end
for i = 1, n do
  local label = byte(platforms, i)
  if label < 1 or label > labels then
    return redis.error_reply('ERR admit: an event is of a platform without a label')
  end
end
id_at, fingerprint_at = id_at + 1, fingerprint_at + 1

local depths = { call('XLEN', KEYS[RAW]), call('XLEN', KEYS[DIRECT]) }
-- Without a group the reasoning queue is an archive with a cap; with one, its length is what nobody has read.
local unread = 0
if call('EXISTS', reasoning) == 1 and #call('XINFO', 'GROUPS', reasoning) > 0 then
  unread = call('XLEN', reasoning)
end
local room = { max_depth - depths[RAW], max_direct - depths[DIRECT] }
if unread >= max_unread then room = { 0, 0 } end

-- Decide. `known` is what Redis has, `coming` what it will have beside after the writes that are still to come.
local known = n > 0 and call('MGET', unpack(KEYS, HEAD_KEYS + 1)) or {}
local coming = {}

-- The id of the event that a duplicate's record leads to; nil where that is not remembered any more, was dropped,
-- or has come again with other content. `prefix` is what stands before an id in the key of a record.
local function first_behind(alias, prefix)
  local record, id = alias, nil
  for _ = 1, MOST_HOPS do
    id = sub(record, 18)
    record = coming[prefix .. id] or call('GET', prefix .. id)
    if not record or sub(record, 2, 17) ~= sub(alias, 2, 17) then return nil end
    if sub(record, 1, 1) ~= '=' then return id end
  end
  return nil
end

local outcomes, streams, told, sets, aliases = {}, {}, {}, {}, {}
for i = 1, n do
  local record_key, first_key = KEYS[HEAD_KEYS + 2 * i - 1], KEYS[HEAD_KEYS + 2 * i]
  local id, fingerprint = sub(record_key, id_at), sub(first_key, fingerprint_at)
  local record, first = coming[record_key] or known[2 * i - 1], coming[first_key] or known[2 * i]
  local outcome, stream, first_id, standing = ACCEPTED, 0, '', record and id
  if record and sub(record, 1, 1) == '=' then
    standing = coming[record_key] and sub(record, 18) or first_behind(record, sub(record_key, 1, id_at - 1))
  end
  if standing then
    if sub(record, 2, 17) ~= fingerprint then
      outcome = CONFLICT
    else
      outcome, first_id = DUPLICATE, standing
    end
  elseif first then
    outcome, first_id = DUPLICATE, first
    -- The first one itself comes again after its record's life: an alias of itself would lead nowhere.
    if first ~= id then
      local alias = '=' .. fingerprint .. first
      coming[record_key] = alias
      aliases[#aliases + 1] = { record_key, alias }
    end
  else
    stream = sub(wanted, i, i) == '1' and RAW or DIRECT
    if room[stream] <= 0 then stream = RAW end
    if room[stream] <= 0 then
      outcome, stream = NO_ROOM, 0
    else
      room[stream] = room[stream] - 1
      local queued = 'q' .. fingerprint
      coming[record_key], coming[first_key] = queued, id
      sets[#sets + 1], sets[#sets + 2] = record_key, queued
    end
  end
  outcomes[i], streams[i], told[i] = outcome, stream, first_id
end

-- Write.
if #sets > 0 then call('MSET', unpack(sets)) end
for i = 1, n do
  local stream = streams[i]
  if stream > 0 then
    local id = sub(KEYS[HEAD_KEYS + 2 * i - 1], id_at)
    call('SET', KEYS[HEAD_KEYS + 2 * i], id, 'PX', window_ms)
    told[i] = call(
      'XADD', KEYS[stream], '*', 'event_id', id, 'platform', ARGV[HEAD_ARGS + byte(platforms, i)],
      'event', ARGV[HEAD_ARGS + labels + i]
    )
    depths[stream] = depths[stream] + 1
  end
end
for _, alias in ipairs(aliases) do
  call('SET', alias[1], alias[2], 'PX', duplicate_ms)
end
return { depths[RAW], depths[DIRECT], unread, char(unpack(outcomes)), char(unpack(streams)), told }
